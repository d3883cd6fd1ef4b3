/**
 * Why Redis did not do it. `unavailable`: it cannot be reached now, or said nothing in time, in which case it may have
 * done it all the same. `unsuitable`: it is too old, or set up so that it would lose what must be kept. `closed`: the
 * connection was closed by its owner.
 */
export type RedisErrorCode = 'unavailable' | 'unsuitable' | 'closed';

const PUBLIC_MESSAGES: Readonly<Record<RedisErrorCode, string>> = {
  unavailable: 'What the servers share cannot be reached now. Try again in 10 s.',
  unsuitable: 'The server is not set up correctly. Tell its operator.',
  closed: 'The server is stopping. Try again in 10 s.',
};

/** What this package throws. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly code: RedisErrorCode;
  /** All that a model is told. */
  readonly publicMessage: string;
  /** Whether what was asked may be done all the same: it was sent, and nothing was heard. */
  readonly mayBeDone: boolean;

  constructor(
    code: RedisErrorCode,
    message: string,
    { mayBeDone = false, ...options }: ErrorOptions & { readonly mayBeDone?: boolean | undefined } = {},
  ) {
    super(message, options);
    this.mayBeDone = mayBeDone;
    this.code = code;
    this.publicMessage = PUBLIC_MESSAGES[code];
  }
}
