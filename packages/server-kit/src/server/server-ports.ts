import type { AuditTrail as StoredTrail } from '@mcp-parts/audit';
import type { Telemetry } from '@mcp-parts/observability';
import type { TaskEngine, TaskStore } from '@mcp-parts/tasks';
import type {
  ApprovalStore,
  AuditTrail,
  ConfirmationClaims,
  EventBus,
  IdempotencyStore,
  RateLimiter,
  RenewCaller,
  Task,
  TaskRunner,
} from '@mcp-parts/tool-kit';

/**
 * An audit trail as a server needs it. With `health`, as the trail of `@mcp-parts/audit` has it, the server is ready only
 * while it records, and its metrics say how far it is shipped; with `recent`, the operator's page shows its last events.
 */
export type ServerAudit = AuditTrail & Partial<Pick<StoredTrail, 'health' | 'flush' | 'recent'>>;

/** A task engine as a server needs it. */
export interface ServerTasks extends TaskRunner {
  /** How the tasks of all callers stand, for metrics. @default it is not shown */
  readonly figures?: TaskEngine['figures'] | undefined;
  /** The running tasks of all callers, for the operator's page. @default it does not show them */
  readonly running?: TaskEngine['running'] | undefined;
  /**
   * The task once its end is settled, `open` before, `undefined` where there is none: so that an audit trail knows which
   * calls go on, and how those ended that went on elsewhere. @default nobody knows any
   */
  readonly settled?: ((id: string) => Promise<Task | 'open' | undefined>) | undefined;
  /** Lets tasks end, or puts them aside, within about so many milliseconds. The server calls it before its trail ends. */
  readonly close: (options?: { readonly deadlineMs?: number | undefined }) => Promise<void>;
}

/** What callers may do, which can change while they stay. */
export interface CallerRights {
  /** The same caller with the rights of now. Rejects with the code `access_denied` for who has none any more. */
  readonly renew: RenewCaller;
  /** Calls the listener when anybody may do something else than before; returns how to stop. */
  readonly onChange: (listener: () => void) => () => void;
}

/** Parts that a server is given. What is left out it makes for itself, on this machine. */
export interface ServerPorts {
  /** Whoever opened it closes it, after the server. @default a trail in the state directory */
  readonly audit?: ServerAudit | undefined;
  /** Where tasks are kept, for the workers of all who share it; the server closes it. @default in the state directory */
  readonly taskStore?: TaskStore | undefined;
  /** Counts what the limits are for. @default each process counts for itself */
  readonly rateLimiter?: RateLimiter | undefined;
  /** Remembers calls of tools with `idempotent`. @default each process for itself */
  readonly idempotency?: IdempotencyStore | undefined;
  /** Uses up what people have confirmed. @default each process for itself */
  readonly confirmations?: ConfirmationClaims | undefined;
  /** Remembers what waits for a second person. @default each process for itself */
  readonly approvals?: ApprovalStore | undefined;
  /**
   * Carries what changes to all processes that share it, for clients that listen; publish `resource_updated` to it.
   * @default one within this process, and clients cannot subscribe to single resources
   */
  readonly events?: EventBus | undefined;
  /**
   * Spans and metrics, made before the server so that its clients of upstreams could take the `meter`. Whoever made
   * them shuts them down, after the server. @default the server's own
   */
  readonly telemetry?: Telemetry | undefined;
}
