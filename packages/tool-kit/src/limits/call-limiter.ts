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
export interface LimitedCall {
  readonly name: string;
  readonly limit?: ToolLimit | undefined;
  /** It only starts a task, whose run is what the tool's places are for. @default it is the work itself */
  readonly longRunning?: object | undefined;
}

/** A run of a long-running tool, from its start to the end of its task, in whatever process that is. */
interface LimitedRun {
  /** The same in all processes. */
  readonly id: string;
  readonly leaseMs: number;
  /** It cannot be refused any more. */
  readonly isBegun: boolean;
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
  /** Takes the places of its tool for a run, or keeps them; `undefined` where the tool has as many as it likes. */
  readonly enterRun: (
    call: LimitedCall,
    callerId: string,
    run: LimitedRun,
  ) => Promise<Exceeded | TakenPlaces> | undefined;
}

/** The places of one call or run. */
export interface TakenPlaces extends Pick<Place, 'leave'> {
  /** Gives back what was taken with this, and not what its holder had before. */
  readonly giveUp: () => void;
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

  async function take(
    wanted: readonly (readonly [Scope, string, Limit])[],
    { id: holder, leaseMs, isBegun }: Partial<LimitedRun> & Pick<LimitedRun, 'leaseMs'>,
  ): Promise<Exceeded | TakenPlaces> {
    const taken: Place[] = [];
    const giveUp = () => taken.forEach((place) => place.wasHeld === true || place.leave());
    try {
      for (const [scope, key, { concurrent }] of wanted) {
        if (concurrent !== undefined) {
          // oxlint-disable-next-line no-await-in-loop -- What is refused must not take the next place.
          const place = await places.enter?.(key, {
            max: isBegun === true ? MAX : concurrent,
            leaseMs,
            holder,
          });
          if (place === undefined) {
            giveUp();
            return exceeded('concurrency', scope, CONCURRENCY_RETRY_MS);
          }
          taken.push(place);
        }
      }
    } catch (error) {
      giveUp();
      throw error;
    }
    return { leave: () => taken.forEach((place) => place.leave()), giveUp };
  }

  const isRateLimited = callerLimit.perMinute !== undefined || serverLimit.perMinute !== undefined;
  const isPlaceLimited = callerLimit.concurrent !== undefined || serverLimit.concurrent !== undefined;
  return {
    count(callerId, weight) {
      return isRateLimited ? countRequest(callerId, weight) : undefined;
    },
    enter(call, callerId, leaseMs) {
      return call.limit !== undefined || isPlaceLimited ? enterCall(call, callerId, leaseMs) : undefined;
    },
    enterRun({ name, limit = {} }, callerId, run) {
      return limit.concurrent !== undefined || limit.total?.concurrent !== undefined
        ? take(limitsOf(name, limit, callerId), run)
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

  async function enterCall(
    { name, limit = {}, longRunning }: LimitedCall,
    callerId: string,
    leaseMs: number,
  ) {
    const ofTool = limitsOf(name, limit, callerId);
    for (const [scope, key, rate] of ofTool) {
      // oxlint-disable-next-line no-await-in-loop -- What is refused must not count for the next.
      const tooOften = await consume(scope, key, rate, 1);
      if (tooOften !== undefined) {
        return tooOften;
      }
    }
    return take(
      [
        ['caller', `caller:${callerId}`, callerLimit],
        ...(longRunning === undefined ? ofTool : []),
        ['server', 'server', serverLimit],
      ],
      { leaseMs },
    );
  }
}

/** What a tool's own limits are counted under: for its caller, and for all together. */
function limitsOf(name: string, limit: ToolLimit, callerId: string) {
  return [
    ['tool', `tool:${name}:${callerId}`, limit],
    ['tool', `tool:${name}`, limit.total ?? {}],
  ] as const satisfies readonly (readonly [Scope, string, Limit])[];
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
