/** The task that a long-running call is, for its handler. */
export interface CallTask {
  /** A random UUID, the same in every run: the idempotency key of what it does. */
  readonly id: string;
  /** 1 for the first run. */
  readonly attempt: number;
}
