import type { Authorizer, Caller, Decision, Logger } from '../ports.ts';

/** What is asked of an authorizer, and who hears of it when it cannot decide. */
export interface AuthorizeOptions {
  readonly caller: Caller;
  readonly permission: string;
  readonly signal: AbortSignal;
  /** Of the request, for the operator's log. */
  readonly correlationId: string;
  readonly logger: Logger;
}

/**
 * Asks the authorizer. One that fails denies with the reason `unavailable`, and the cause is logged.
 *
 * @throws {unknown} the signal's reason, once it aborts.
 */
export async function authorize(authorizer: Authorizer, options: AuthorizeOptions): Promise<Decision> {
  const { caller, permission, signal, correlationId, logger } = options;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([authorizer.decide(caller, permission, { signal }), aborted.promise]);
  } catch (error) {
    if (signal.aborted) {
      throw error;
    }
    // Who cannot decide says no.
    logger.error({ err: error, correlationId }, 'authorization not decided');
    return { allowed: false, reason: 'unavailable' };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
