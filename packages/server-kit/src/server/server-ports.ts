import type { AuditTrail as StoredTrail } from '@mcp-parts/audit';
import type { Telemetry } from '@mcp-parts/observability';
import type { AuditTrail, Logger, RateLimiter, TaskDefinition, TaskRunner } from '@mcp-parts/tool-kit';

/**
 * An audit trail as a server needs it. With `health`, as the trail of `@mcp-parts/audit` has it, the server is ready only
 * while it records, and its metrics say how far it is shipped.
 */
export type ServerAudit = AuditTrail & Partial<Pick<StoredTrail, 'health' | 'flush'>>;

/** A task engine as a server needs it. */
export interface ServerTasks extends TaskRunner {
  /** Lets tasks end, or puts them aside, within about so many milliseconds. The server calls it before its trail ends. */
  readonly close: (options?: { readonly deadlineMs?: number | undefined }) => Promise<void>;
}

/** What a task engine is made for. */
export interface TaskHost {
  /** The kinds of tasks that the definitions of the server have. */
  readonly definitions: readonly TaskDefinition[];
  readonly logger: Logger;
}

/** Parts that a server is given. What is left out it makes for itself, on this machine. */
export interface ServerPorts {
  /** Whoever opened it closes it, after the server. @default a trail in the state directory */
  readonly audit?: ServerAudit | undefined;
  /** Opens the task engine; the server closes it. @default one in the state directory */
  readonly tasks?: ((host: TaskHost) => ServerTasks | Promise<ServerTasks>) | undefined;
  /** Counts what the limits are for. @default each process counts for itself */
  readonly rateLimiter?: RateLimiter | undefined;
  /**
   * Spans and metrics, made before the server so that its clients of upstreams could take the `meter`. Whoever made
   * them shuts them down, after the server. @default the server's own
   */
  readonly telemetry?: Telemetry | undefined;
}
