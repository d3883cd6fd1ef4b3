const MAX_TEXT = 160;
const MAX_CAUSES = 3;

/** An error for the log, without stacks. */
export interface BriefError {
  readonly type: string;
  readonly code?: string | undefined;
  readonly message: string;
  /** What it came from, the nearest first. */
  readonly causes?: readonly string[] | undefined;
}

/**
 * What an operator needs of a failure that was expected, such as a backend that answers 404: what and why, in less than
 * 1 KiB. Where in the code it was noticed says nothing.
 */
export function briefError(error: unknown): BriefError {
  const causes: string[] = [];
  for (
    let cause = causeOf(error);
    cause !== undefined && causes.length < MAX_CAUSES;
    cause = causeOf(cause)
  ) {
    const { type, code, message } = factsOf(cause);
    causes.push(cut(`${type}${code === undefined ? '' : ` ${code}`}: ${message}`));
  }
  const { type, code, message } = factsOf(error);
  return { type, code, message: cut(message), causes: causes.length === 0 ? undefined : causes };
}

function factsOf(error: unknown): Omit<BriefError, 'causes'> {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: String(error) };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { type: error.name, code, message: error.message };
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}

/** As a line that is written inside the span has it; a call is explained when its span has ended. */
export function traceField(traceId: string | undefined): { readonly trace_id?: string } {
  return traceId === undefined ? {} : { trace_id: traceId };
}
