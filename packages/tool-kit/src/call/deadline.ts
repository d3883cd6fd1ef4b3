/** The time that a call has left. */
export interface Deadline extends Disposable {
  /** Aborts with the request's signal, or after the deadline. */
  readonly signal: AbortSignal;
  /** In milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Starts the deadline of a call; its timer ends with the call. */
export function startDeadline(parent: AbortSignal, deadlineMs: number): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException('deadline exceeded', 'TimeoutError')),
    deadlineMs,
  );
  timer.unref();
  const onAbort = () => controller.abort(parent.reason);
  if (parent.aborted) {
    onAbort();
  } else {
    parent.addEventListener('abort', onAbort, { once: true });
  }
  return {
    signal: controller.signal,
    at: Date.now() + deadlineMs,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onAbort);
    },
  };
}

/** Settles with the work, or as soon as the signal aborts: a handler that ignores its signal holds nobody up. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) {
    onAbort();
  } else {
    signal.addEventListener('abort', onAbort, { once: true });
  }
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
