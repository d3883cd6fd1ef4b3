/** Why the engine refused or stopped something. */
export type TaskErrorCode =
  | 'unknown_kind'
  | 'invalid_input'
  | 'idempotency_conflict'
  | 'quota_exceeded'
  | 'start_unknown'
  | 'expired'
  | 'result_too_large'
  | 'unsupported_store'
  | 'closed'
  | 'cancelled'
  | 'interrupted'
  | 'lease_lost';

const PUBLIC_MESSAGES: Record<TaskErrorCode, string> = {
  unknown_kind: 'This server does not know this kind of task.',
  invalid_input: 'The input of the task is not a JSON object.',
  idempotency_conflict:
    'This idempotency key was already used with a different input. Use a new key to start another task.',
  quota_exceeded:
    'Too many of your tasks are waiting. Wait until some have ended, or cancel them, then try again.',
  start_unknown: 'It is not known whether the task was started. Look for it before you start another one.',
  expired: 'The task waited too long for its turn and was not started. Start it again if it is still wanted.',
  result_too_large: 'The task is done, but its result is too large to keep. Look at its effect instead.',
  unsupported_store: 'The task store was written by another version of this server.',
  closed: 'The server is shutting down. Try again in a moment.',
  cancelled: 'The task was cancelled.',
  interrupted:
    'The server stopped while the task was running, and it was not run again. Check what it already did before you start a new one.',
  lease_lost: 'Another server has taken the task over.',
};

/** Error of the task engine. `message` may name details for people who operate it; only `publicMessage` may reach a model. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: TaskErrorCode;
  /** What failed and what to do next, without internals. */
  readonly publicMessage: string;

  constructor(code: TaskErrorCode, details?: string, options?: ErrorOptions) {
    const publicMessage = PUBLIC_MESSAGES[code];
    super(details === undefined ? publicMessage : `${publicMessage} (${details})`, options);
    this.code = code;
    this.publicMessage = publicMessage;
  }
}

/** A store that is elsewhere may be out of reach for a while, and is asked again. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'unavailable';
}

/** What an owner is told of an error: its code and public message, where it has them. */
export function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  try {
    // A proxy has traps, and a getter may throw.
    const { code, publicMessage } = Object(error) as {
      readonly code?: unknown;
      readonly publicMessage?: unknown;
    };
    if (typeof code === 'string' && typeof publicMessage === 'string') {
      return { code, message: publicMessage };
    }
  } catch {
    // What cannot be read has nothing for its owner.
  }
  return { code: 'internal', message: 'The task failed for an internal reason.' };
}
