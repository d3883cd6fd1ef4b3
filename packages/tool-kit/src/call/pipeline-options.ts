import { randomBytes } from 'node:crypto';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { createApprovalMemory } from '../confirmation/approval-memory.ts';
import { createClaimMemory } from '../confirmation/claim-memory.ts';
import type { ConfirmationLevel } from '../definition/confirmation.ts';
import { createStateSeal, type StateSeal } from '../exchange/request-state.ts';
import { createIdempotencyMemory } from '../idempotency/idempotency-memory.ts';
import { createCallLimiter, type CallLimiter, type CallLimiterOptions } from '../limits/call-limiter.ts';
import type {
  ApprovalStore,
  AuditTrail,
  Authorizer,
  Caller,
  ConfirmationClaims,
  IdempotencyStore,
  Logger,
  TaskRunner,
  Telemetry,
} from '../ports.ts';
import { createTaskEntries, type TaskEntries } from '../trail/task-entries.ts';
import { createReasonLabels } from './failure/reason-labels.ts';
import type { Hook } from './hook.ts';

/** No string in JavaScript holds more. */
export const MAX_STRING_BYTES = 2 ** 29;
/** In less there is no room for what is said of the rest. */
export const MIN_ANSWER_BYTES = 1_024;

/** What one call may take and give. */
export interface CallLimits {
  /** The maximum duration of a call whose tool has none of its own, in milliseconds: 1 to 2147483647. @default 30_000 */
  readonly deadlineMs?: number | undefined;
  /**
   * How long somebody may take to answer a question of a call, in milliseconds: 1 to 2147483647. The deadline does not run
   * meanwhile. @default 300_000
   */
  readonly answerWithinMs?: number | undefined;
  /** The maximum output of a call, in bytes of JSON, all of which a model pays for: 1 to 536870912. @default 65_536 */
  readonly maxOutputBytes?: number | undefined;
  /**
   * From which size an answer of a tool is cut short, in bytes of its text or of its structured content, about four to a
   * token: 1024 to 536870912. Lists end earlier, long texts become excerpts, and both forms say what was left out.
   * @default 32_768
   */
  readonly answerBytes?: number | undefined;
  /**
   * The same for clients that cut an answer themselves and say nothing, by the name that they give themselves; the
   * smaller of both counts. @default `{ 'codex-mcp-client': 10_000 }`
   */
  readonly answerBytesByClient?: Readonly<Record<string, number>> | undefined;
  /** The maximum number of entries on one page of a list: 1 to 100000. @default 1_000 */
  readonly pageSize?: number | undefined;
  /**
   * How long a client may keep a list, in milliseconds, where the revision lets a server say so: 0 to 2147483647. It is
   * the list of one caller, so nobody may show it to another. @default 0
   */
  readonly listTtlMs?: number | undefined;
}

/** Fills in and checks. @throws {RangeError} naming the option that is out of its range. */
export function resolveCallLimits(limits: CallLimits = {}) {
  const {
    deadlineMs = 30_000,
    answerWithinMs = 300_000,
    maxOutputBytes = 65_536,
    answerBytes = 32_768,
    // Codex cuts the middle out of what is longer than about 12 KB.
    answerBytesByClient = { 'codex-mcp-client': 10_000 },
    pageSize = 1_000,
    listTtlMs = 0,
  } = limits;
  checkWhole('deadlineMs', deadlineMs, 1, MAX_TIMER_MS);
  checkWhole('answerWithinMs', answerWithinMs, 1, MAX_TIMER_MS);
  checkWhole('maxOutputBytes', maxOutputBytes, 1, MAX_STRING_BYTES);
  checkWhole('answerBytes', answerBytes, MIN_ANSWER_BYTES, MAX_STRING_BYTES);
  for (const [name, bytes] of Object.entries(answerBytesByClient)) {
    checkWhole(`answerBytesByClient["${name}"]`, bytes, MIN_ANSWER_BYTES, MAX_STRING_BYTES);
  }
  checkWhole('pageSize', pageSize, 1, 100_000);
  checkWhole('listTtlMs', listTtlMs, 0, MAX_TIMER_MS);
  return {
    deadlineMs,
    answerWithinMs,
    maxOutputBytes,
    answerBytes,
    answerBytesByClient,
    pageSize,
    listTtlMs,
  };
}

/** The ports and limits of the call pipeline. Whatever is left out has the default that its comment names. */
export interface PipelineOptions extends CallLimits, CallLimiterOptions {
  /** @default a call needs the permission by name in `caller.permissions` */
  readonly authorizer?: Authorizer | undefined;
  /** @default nothing is recorded */
  readonly audit?: AuditTrail | undefined;
  /** @default nothing is measured */
  readonly telemetry?: Telemetry | undefined;
  /** Required when the catalog has long-running tools. @default there are none */
  readonly tasks?: TaskRunner | undefined;
  /** @default nothing is logged */
  readonly logger?: Logger | undefined;
  /** Around every handler, the first one outermost. @default none */
  readonly hooks?: readonly Hook[] | undefined;
  /** Remembers calls of tools with `idempotent`. @default each process for itself */
  readonly idempotency?: IdempotencyStore | undefined;
  /** Uses up what a person has confirmed. @default each process for itself */
  readonly confirmations?: ConfirmationClaims | undefined;
  /** Remembers what waits for a second person. @default each process for itself */
  readonly approvals?: ApprovalStore | undefined;
  /**
   * How long a second person may take, and who asked to call again, in milliseconds: 1 to 2147483647.
   * @default 3_600_000
   */
  readonly approveWithinMs?: number | undefined;
  /** How much a call of a tool with `confirm` takes. @default `as_defined` */
  readonly confirmationLevel?:
    | ((call: { readonly tool: string; readonly caller: Caller }) => ConfirmationLevel)
    | undefined;
  /**
   * Seals what a client of 2026-07-28 keeps for a call that asks it something: at least 32 bytes, the same in every
   * process behind one address. @default a random key: a call ends with its process
   */
  readonly requestStateKey?: Uint8Array | undefined;
}

/** The options, filled in and checked. */
export interface ResolvedPipelineOptions {
  readonly authorizer: Authorizer;
  readonly audit: AuditTrail;
  readonly limiter: CallLimiter;
  readonly telemetry: Telemetry;
  readonly tasks: TaskRunner | undefined;
  /** The intents of the calls that run as tasks. */
  readonly taskEntries: TaskEntries;
  readonly logger: Logger;
  readonly deadlineMs: number;
  readonly answerWithinMs: number;
  readonly maxOutputBytes: number;
  readonly answerBytes: number;
  readonly answerBytesByClient: ReadonlyMap<string, number>;
  readonly pageSize: number;
  readonly listTtlMs: number;
  readonly hooks: readonly Hook[];
  /** A reason as metrics have it. */
  readonly reasonLabel: (reason: string) => string;
  readonly stateSeal: StateSeal;
  readonly idempotency: IdempotencyStore;
  readonly confirmations: ConfirmationClaims;
  readonly approvals: ApprovalStore;
  readonly approveWithinMs: number;
  readonly confirmationLevel: NonNullable<PipelineOptions['confirmationLevel']>;
}

/**
 * @throws {RangeError} naming the option that is out of its range.
 * @throws {TypeError} for a limit in requests per minute and no rate limiter.
 */
export function resolvePipelineOptions(options: PipelineOptions): ResolvedPipelineOptions {
  const limits = resolveCallLimits(options);
  const { approveWithinMs = 3_600_000 } = options;
  checkWhole('approveWithinMs', approveWithinMs, 1, MAX_TIMER_MS);
  return {
    ...limits,
    // Clients name themselves, and might choose a name that every object has.
    answerBytesByClient: new Map(Object.entries(limits.answerBytesByClient)),
    authorizer: options.authorizer ?? permissionAuthorizer,
    audit: options.audit ?? noAudit,
    limiter: createCallLimiter(options),
    telemetry: options.telemetry ?? noTelemetry,
    tasks: options.tasks,
    taskEntries: createTaskEntries(options.audit ?? noAudit),
    logger: options.logger ?? silentLogger,
    hooks: options.hooks ?? [],
    reasonLabel: createReasonLabels(),
    stateSeal: createStateSeal(options.requestStateKey ?? randomBytes(32)),
    idempotency: options.idempotency ?? createIdempotencyMemory(),
    confirmations: options.confirmations ?? createClaimMemory(),
    approvals: options.approvals ?? createApprovalMemory(),
    approveWithinMs,
    confirmationLevel: options.confirmationLevel ?? (() => 'as_defined'),
  };
}

const permissionAuthorizer: Authorizer = {
  decide: (caller, permission) =>
    caller.permissions.includes(permission)
      ? { allowed: true, rule: `caller.permissions:${permission}` }
      : { allowed: false, reason: 'missing_permission' },
};

const noAudit: AuditTrail = {
  begin: () => Promise.resolve({ finish: () => Promise.resolve() }),
};

const noTelemetry: Telemetry = {
  span: (_name, _attributes, run) => run(),
  recordCall: () => undefined,
};

const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
