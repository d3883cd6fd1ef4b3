import type { CallPolicy } from './call-policy.ts';

/**
 * Full jitter: evenly spread from 0 to the bound, which doubles with each retry up to `maxDelayMs`, so that callers
 * that failed together do not come back together.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffDelayMs(
  retry: number,
  policy: Pick<CallPolicy['retry'], 'baseDelayMs' | 'maxDelayMs'>,
  random: () => number,
): number {
  return random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (retry - 1));
}
