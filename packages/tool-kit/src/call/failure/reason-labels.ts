/** What a reason is called in metrics when there are too many, or when it is no code. */
const OTHER = '_other';

const CODE = /^[a-z][a-z0-9_]{0,63}$/u;
/** As a metric label may have few values. */
const MAX_LABELS = 200;

/** Keeps the reasons in metrics to codes, and to a number of them: a handler may throw an error with any. */
export function createReasonLabels(): (reason: string) => string {
  const known = new Set<string>();
  return (reason) => {
    if (known.has(reason)) {
      return reason;
    }
    if (known.size >= MAX_LABELS || !CODE.test(reason)) {
      return OTHER;
    }
    known.add(reason);
    return reason;
  };
}
