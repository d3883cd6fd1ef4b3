/** The server answered, and the answer is an error (RFC 4511 appendix A). The connection is good. */
export class LdapResultError extends Error {
  override readonly name = 'LdapResultError';
  readonly resultCode: number;

  constructor(resultCode: number, options: { readonly cause: unknown }) {
    // The server's own text may hold names of people and machines.
    super(`the directory answered with result code ${resultCode}`, options);
    this.resultCode = resultCode;
  }
}

/** There is more than we take. Never a reason to use the part that came. */
export class LdapLimitError extends Error {
  override readonly name = 'LdapLimitError';
}

/** No answer: refused, cut off, or not in time. Another server may have it. */
export class LdapUnreachableError extends Error {
  override readonly name = 'LdapUnreachableError';
  /** The connection was good and broke: worth another one at once. */
  readonly isConnectionLost: boolean;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly isConnectionLost?: boolean | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.isConnectionLost = options.isConnectionLost ?? false;
  }
}

/** RFC 4511 appendix A.2: busy (51) and unavailable (52) speak about the server, not about the question. */
export function isAboutServer(error: unknown): boolean {
  return (
    error instanceof LdapUnreachableError ||
    (error instanceof LdapResultError && [51, 52].includes(error.resultCode))
  );
}
