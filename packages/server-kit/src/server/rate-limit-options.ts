import { checkWhole } from '../check-number.ts';

/** How much one caller may ask for. */
export interface RateLimitOptions {
  /** Requests per minute for each caller, lists and refused ones too, counted in this process; from 1 to 1_000_000. @default 100 */
  readonly rateLimitPerMinute?: number | undefined;
}

/** @throws {RangeError} naming the option that is out of its range. */
export function resolveRateLimitOptions({ rateLimitPerMinute = 100 }: RateLimitOptions): {
  readonly rateLimitPerMinute: number;
} {
  checkWhole('rateLimitPerMinute', rateLimitPerMinute, 1, 1_000_000);
  return { rateLimitPerMinute };
}
