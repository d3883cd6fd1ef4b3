import { checkWhole } from '../check-number.ts';
import type { Limit, ToolLimit } from '../definition/limit.ts';
import type { Place, RateLimiter } from '../ports.ts';
import { createLocalPlaces } from './local-places.ts';

/** Which limit a call has reached, and when it is worth trying again, in milliseconds. */
export interface Exceeded {
  readonly what: 'rate' | 'concurrency';
  /** Whose limit it is: that of the caller, of all callers together, or of the tool. */
  readonly scope: 'caller' | 'server' | 'tool';
  readonly retryAfterMs: number;
}

/** What a running call is to be counted against. */
interface LimitedCall {
  readonly name: string;
  readonly limit?: ToolLimit | undefined;
}

/** Keeps calls within the limits of their callers, of the server and of their tools. */
export interface CallLimiter {
  /** Counts one request; `undefined` where there is nothing to wait for and no limit. */
  readonly count: (callerId: string, weight: number) => Promise<Exceeded | undefined> | undefined;
  /** Counts a call that may run, and takes its places; `undefined` where there is nothing to count. */
  readonly enter: (
    call: LimitedCall,
    callerId: string,
    leaseMs: number,
  ) => Promise<Exceeded | Place> | undefined;
}

/** What calls are counted with, and against. */
export interface CallLimiterOptions {
  /** @default places are counted in this process, and limits in requests per minute are refused */
  readonly rateLimiter?: RateLimiter | undefined;
  /** What one caller may ask for. @default no limit */
  readonly callerLimit?: Limit | undefined;
  /** What all callers together may ask for. @default no limit */
  readonly serverLimit?: Limit | undefined;
}

type Scope = Exceeded['scope'];

/** Nobody knows when a running call ends. */
const CONCURRENCY_RETRY_MS = 1_000;

/**
 * @throws {RangeError} naming the limit that is out of its range.
 * @throws {TypeError} for a limit in requests per minute and nothing that could count them.
 */
export function createCallLimiter(options: CallLimiterOptions): CallLimiter {
  const { rateLimiter, callerLimit = {}, serverLimit = {} } = options;
  checkLimit('callerLimit', callerLimit, rateLimiter);
  checkLimit('serverLimit', serverLimit, rateLimiter);
  const places = rateLimiter?.enter === undefined ? createLocalPlaces() : rateLimiter;

  async function consume(scope: Scope, key: string, { perMinute }: Limit, weight: number) {
    if (perMinute === undefined || rateLimiter === undefined) {
      return undefined;
    }
    // A call that weighs more than there is takes all there is.
    const rate = { perMinute, weight: Math.min(weight, perMinute) };
    const answer = await rateLimiter.consume(key, rate);
    return answer.allowed ? undefined : exceeded('rate', scope, answer.retryAfterMs);
  }

  async function take(wanted: readonly (readonly [Scope, string, Limit])[], leaseMs: number) {
    const taken: Place[] = [];
    const leave = () => {
      for (const place of taken) {
        place.leave();
      }
    };
    try {
      for (const [scope, key, { concurrent }] of wanted) {
        if (concurrent !== undefined) {
          // oxlint-disable-next-line no-await-in-loop -- What is refused must not take the next place.
          const place = await places.enter?.(key, { max: concurrent, leaseMs });
          if (place === undefined) {
            leave();
            return exceeded('concurrency', scope, CONCURRENCY_RETRY_MS);
          }
          taken.push(place);
        }
      }
    } catch (error) {
      leave();
      throw error;
    }
    return { leave };
  }

  const isRateLimited = callerLimit.perMinute !== undefined || serverLimit.perMinute !== undefined;
  const isPlaceLimited = callerLimit.concurrent !== undefined || serverLimit.concurrent !== undefined;
  return {
    count(callerId, weight) {
      return isRateLimited ? countRequest(callerId, weight) : undefined;
    },
    enter({ name, limit }, callerId, leaseMs) {
      return limit !== undefined || isPlaceLimited
        ? enterCall(name, limit ?? {}, callerId, leaseMs)
        : undefined;
    },
  };

  /** Who is refused for asking too often takes nothing from the others. */
  async function countRequest(callerId: string, weight: number): Promise<Exceeded | undefined> {
    return (
      (await consume('caller', `caller:${callerId}`, callerLimit, weight)) ??
      consume('server', 'server', serverLimit, weight)
    );
  }

  async function enterCall(name: string, limit: ToolLimit, callerId: string, leaseMs: number) {
    const ofTool = `tool:${name}`;
    const ofBoth = `${ofTool}:${callerId}`;
    const total = limit.total ?? {};
    const tooOften = (await consume('tool', ofBoth, limit, 1)) ?? (await consume('tool', ofTool, total, 1));
    return (
      tooOften ??
      take(
        [
          ['caller', `caller:${callerId}`, callerLimit],
          ['tool', ofBoth, limit],
          ['tool', ofTool, total],
          ['server', 'server', serverLimit],
        ],
        leaseMs,
      )
    );
  }
}

/**
 * Checks the limit of a tool.
 *
 * @throws {RangeError} naming the limit that is out of its range.
 */
export function checkToolLimit(kind: string, { weight = 1, total = {}, ...limit }: ToolLimit): void {
  checkNumbers(`${kind}: limit`, limit);
  checkNumbers(`${kind}: limit.total`, total);
  checkWhole(`${kind}: limit.weight`, weight, 1, MAX);
}

/** @throws {TypeError} for a limit in requests per minute and nothing that could count them. */
export function checkLimit(name: string, limit: Limit, rateLimiter: RateLimiter | undefined): void {
  checkNumbers(name, limit);
  if (limit.perMinute !== undefined && rateLimiter === undefined) {
    throw new TypeError(`rateLimiter must be a rate limiter, as ${name} has perMinute, got undefined`);
  }
}

const MAX = 1_000_000;

function checkNumbers(name: string, { perMinute = 1, concurrent = 1 }: Limit): void {
  checkWhole(`${name}.perMinute`, perMinute, 1, MAX);
  checkWhole(`${name}.concurrent`, concurrent, 1, MAX);
}

function exceeded(what: Exceeded['what'], scope: Scope, retryAfterMs: number): Exceeded {
  return { what, scope, retryAfterMs };
}
