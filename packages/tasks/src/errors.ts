/** Why the engine refused or stopped something. */
export type TaskErrorCode =
  | 'unknown_kind'
  | 'invalid_input'
  | 'idempotency_conflict'
  | 'locked'
  | 'unsupported_store'
  | 'closed'
  | 'cancelled'
  | 'interrupted';

const PUBLIC_MESSAGES: Record<TaskErrorCode, string> = {
  unknown_kind: 'This server does not know this kind of task.',
  invalid_input: 'The input of the task is not a JSON object.',
  idempotency_conflict:
    'This idempotency key was already used with a different input. Use a new key to start another task.',
  locked: 'The task store is in use by another process.',
  unsupported_store: 'The task store was written by a newer version of this server.',
  closed: 'The server is shutting down. Try again in a moment.',
  cancelled: 'The task was cancelled.',
  interrupted:
    'The server stopped while the task was running, and it was not run again. Check what it already did before you start a new one.',
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
