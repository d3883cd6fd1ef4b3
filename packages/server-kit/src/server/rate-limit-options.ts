import type { Limit } from '@mcp-parts/tool-kit';

import { checkWhole } from '../check-number.ts';

/** How much may be asked for. Tools may have limits of their own. */
export interface RateLimitOptions {
  /** Requests per minute for each caller, lists and refused ones too; from 1 to 1_000_000. @default 100 */
  readonly rateLimitPerMinute?: number | undefined;
  /** Requests per minute for all callers together, from 1 to 1_000_000. @default no limit */
  readonly serverRateLimitPerMinute?: number | undefined;
  /** Calls of one caller that run at once, from 1 to 1_000_000. @default no limit but those of the transport */
  readonly maxConcurrentCalls?: number | undefined;
  /** Calls of all callers together that run at once, from 1 to 1_000_000. @default no limit but those of the transport */
  readonly serverMaxConcurrentCalls?: number | undefined;
}

const DEFAULT_PER_MINUTE = 100;

/** Fills in and checks. @throws {RangeError} naming the option that is out of its range. */
export function resolveRateLimitOptions(options: RateLimitOptions): {
  readonly callerLimit: Limit & { readonly perMinute: number };
  readonly serverLimit: Limit;
} {
  const {
    rateLimitPerMinute = DEFAULT_PER_MINUTE,
    serverRateLimitPerMinute,
    maxConcurrentCalls,
    serverMaxConcurrentCalls,
  } = options;
  const numbers = {
    rateLimitPerMinute,
    serverRateLimitPerMinute,
    maxConcurrentCalls,
    serverMaxConcurrentCalls,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined) {
      checkWhole(name, value, 1, 1_000_000);
    }
  }
  return {
    callerLimit: { perMinute: rateLimitPerMinute, concurrent: maxConcurrentCalls },
    serverLimit: { perMinute: serverRateLimitPerMinute, concurrent: serverMaxConcurrentCalls },
  };
}
