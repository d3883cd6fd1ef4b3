import { PublicError } from '../errors.ts';
import type { AuditTrail, Authorizer, Logger, RateLimiter, TaskRunner, Telemetry } from '../ports.ts';

/** The ports and limits of the call pipeline. Whatever is left out has the default that its comment names. */
export interface RuntimeOptions {
  /** @default a call needs the permission by name in `caller.permissions` */
  readonly authorizer?: Authorizer | undefined;
  /** @default nothing is recorded */
  readonly audit?: AuditTrail | undefined;
  /** Keyed by the caller's id. @default no limit */
  readonly rateLimiter?: RateLimiter | undefined;
  /** @default nothing is measured */
  readonly telemetry?: Telemetry | undefined;
  /** @default starting a task fails; required when the catalog has tasks */
  readonly tasks?: TaskRunner | undefined;
  /** @default nothing is logged */
  readonly logger?: Logger | undefined;
  /** The longest call, in milliseconds, where the tool does not say. @default 30_000 */
  readonly deadlineMs?: number | undefined;
  /** The largest answer, in bytes of JSON; a model pays for each. @default 65_536 */
  readonly maxOutputBytes?: number | undefined;
}

/** The options with every default filled in. */
export interface Runtime {
  readonly authorizer: Authorizer;
  readonly audit: AuditTrail;
  readonly rateLimiter: RateLimiter;
  readonly telemetry: Telemetry;
  readonly tasks: TaskRunner;
  readonly logger: Logger;
  readonly deadlineMs: number;
  readonly maxOutputBytes: number;
}

/** @throws {RangeError} naming the option, for a deadline or size that is not positive. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const deadlineMs = options.deadlineMs ?? 30_000;
  const maxOutputBytes = options.maxOutputBytes ?? 65_536;
  if (!isTimerDelay(deadlineMs)) throw new RangeError(`deadlineMs: ${deadlineMs}`);
  if (!(maxOutputBytes > 0)) throw new RangeError(`maxOutputBytes: ${maxOutputBytes}`);
  return {
    authorizer: options.authorizer ?? permissionAuthorizer,
    audit: options.audit ?? noAudit,
    rateLimiter: options.rateLimiter ?? noLimit,
    telemetry: options.telemetry ?? noTelemetry,
    tasks: options.tasks ?? noTasks,
    logger: options.logger ?? silentLogger,
    deadlineMs,
    maxOutputBytes,
  };
}

/** A timer of more than 2^31-1 ms fires at once. */
export function isTimerDelay(milliseconds: number): boolean {
  return milliseconds > 0 && milliseconds < 2 ** 31;
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

const noLimit: RateLimiter = { consume: () => Promise.resolve({ allowed: true }) };

const noTelemetry: Telemetry = {
  span: (_name, _attributes, run) => run(),
  recordCall: () => undefined,
};

const noTasks: TaskRunner = {
  start: () => rejectTasks(),
  get: () => rejectTasks(),
  cancel: () => rejectTasks(),
};

function rejectTasks(): Promise<never> {
  return Promise.reject(
    new PublicError('tasks_unavailable', 'This server runs no background work. Tell its operator.'),
  );
}

const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
