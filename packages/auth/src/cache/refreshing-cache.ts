import { untilAborted } from '../abort.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { ageOf } from '../facts/clock-age.ts';

/** From this share of its time on, an answer is asked for again in the background. */
const REFRESH_FROM = 0.8;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/** How long values count, and how many are kept. */
export interface RefreshingCacheOptions<Value> {
  /** How long a value is good, in milliseconds. */
  readonly ttlMs: (value: Value) => number;
  /** How old a value may become while no new one can be had, in milliseconds: 0 to 2_147_483_647. */
  readonly maxStaleMs: number;
  /** Values kept, 1 to 1_000_000. @default 10_000 */
  readonly maxEntries?: number | undefined;
  /** Deadline of one load, in milliseconds: 1 to 2_147_483_647. */
  readonly loadTimeoutMs: number;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
}

/** @throws {RangeError} naming the number */
function resolveRefreshingCacheOptions<Value>(
  options: RefreshingCacheOptions<Value>,
): RefreshingCacheOptions<Value> & { readonly maxEntries: number } {
  const { maxEntries = 10_000 } = options;
  checkWhole('maxEntries', maxEntries, 1, 1_000_000);
  checkWhole('maxStaleMs', options.maxStaleMs, 0, MAX_TIMER_MS);
  checkWhole('loadTimeoutMs', options.loadTimeoutMs, 1, MAX_TIMER_MS);
  return { ...options, maxEntries };
}

/** A value and when it was asked for, in milliseconds since the Unix epoch: it may be as old as the question. */
interface Answer<Value> {
  readonly value: Value;
  readonly asOf: number;
}

/**
 * A bounded cache that asks once however many wait, ahead of time where it can, and bridges an outage with what it
 * has. A failure is never kept as an answer: it only spaces the attempts, 1 to 30 seconds. After the clock was set back,
 * what was answered or failed before counts no more.
 */
export interface RefreshingCache<Value> {
  /**
   * An answer that was asked for at most `maxAgeMs` before this call. The signal that `load` gets ends with the
   * deadline or the cache, not with one who waits.
   * @throws {unknown} what `load` threw last, when there is no answer that will do; the signal's reason
   */
  readonly get: (
    key: string,
    load: (signal: AbortSignal) => Promise<Value>,
    options: { readonly signal: AbortSignal; readonly maxAgeMs?: number | undefined },
  ) => Promise<Answer<Value>>;
  /** How long `get` will not ask for this key, in milliseconds; 0 unless it failed a moment ago. */
  readonly retryAfterMs: (key: string) => number;
  /** Forgets one key; an answer that is under way is not kept either. */
  readonly invalidate: (key: string) => void;
  /** Forgets every key. */
  readonly clear: () => void;
  /** Forgets everything and ends loads in flight. */
  readonly close: () => void;
}

interface Entry<Value> {
  answer?: (Answer<Value> & { readonly order: number; readonly ttlMs: number }) | undefined;
  load?: { readonly asOf: number; readonly answer: Promise<Answer<Value>> } | undefined;
  failure?:
    | { readonly count: number; readonly at: number; readonly pauseMs: number; readonly error: unknown }
    | undefined;
}

/**
 * Creates a cache; the longest unused entry goes first when it is full.
 * @throws {RangeError} naming the number
 */
export function createRefreshingCache<Value>(options: RefreshingCacheOptions<Value>): RefreshingCache<Value> {
  const { ttlMs, maxStaleMs, maxEntries, loadTimeoutMs, now, random } =
    resolveRefreshingCacheOptions(options);
  const closing = new AbortController();
  // A Map iterates in order of insertion, so the first key is the longest unused.
  const entries = new Map<string, Entry<Value>>();
  /** Of questions: the clock does not tell which came first. */
  let asked = 0;

  function use(key: string): Entry<Value> {
    const entry = entries.get(key) ?? {};
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) {
        break;
      }
      entries.delete(oldest);
    }
    return entry;
  }

  async function ask(entry: Entry<Value>, asOf: number, load: (signal: AbortSignal) => Promise<Value>) {
    const order = ++asked;
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(loadTimeoutMs)]);
    try {
      const value = await untilAborted(load(signal), signal);
      // Two loads overlap when the second must not be older than it is: the later question has the later answer.
      if (entry.answer === undefined || entry.answer.order < order) {
        entry.answer = { value, asOf, order, ttlMs: ttlMs(value) };
        entry.failure = undefined;
      }
      return { value, asOf };
    } catch (error) {
      const count = (entry.failure?.count ?? 0) + 1;
      const maxMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (count - 1));
      entry.failure = { count, at: now(), pauseMs: maxMs * (0.5 + random() / 2), error };
      throw error;
    }
  }

  /** Starts a load, or joins the one in flight if that is not too old. */
  function loadOnce(
    entry: Entry<Value>,
    load: (signal: AbortSignal) => Promise<Value>,
    notBefore: number,
  ): Promise<Answer<Value>> {
    if (entry.load !== undefined && entry.load.asOf >= notBefore) {
      return entry.load.answer;
    }
    const asOf = now();
    const started = { asOf, answer: ask(entry, asOf, load) };
    entry.load = started;
    const finish = (): void => {
      if (entry.load === started) {
        entry.load = undefined;
      }
    };
    started.answer.then(finish, finish);
    return started.answer;
  }

  const pauseLeftMs = ({ failure }: Entry<Value>): number =>
    failure === undefined ? 0 : Math.max(0, failure.pauseMs - ageOf(failure.at, now()));

  return {
    async get(key, load, { signal, maxAgeMs = Infinity }) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const entry = use(key);
      const at = now();
      const { answer, failure } = entry;
      const isBackingOff = pauseLeftMs(entry) > 0;
      const age = answer === undefined ? Number.POSITIVE_INFINITY : ageOf(answer.asOf, at);
      if (answer !== undefined && age < answer.ttlMs && age <= maxAgeMs) {
        // A failed refresh is not this caller's problem: the answer is still good.
        if (age >= answer.ttlMs * REFRESH_FROM && !isBackingOff) {
          loadOnce(entry, load, -Infinity).catch(() => undefined);
        }
        return { value: answer.value, asOf: answer.asOf };
      }
      try {
        if (isBackingOff) {
          throw failure?.error;
        }
        return await untilAborted(loadOnce(entry, load, at - maxAgeMs), signal);
      } catch (error) {
        signal.throwIfAborted();
        closing.signal.throwIfAborted();
        const { answer: last } = entry;
        if (last === undefined || ageOf(last.asOf, now()) > Math.min(maxStaleMs, maxAgeMs)) {
          throw error;
        }
        return { value: last.value, asOf: last.asOf };
      }
    },
    retryAfterMs: (key) => pauseLeftMs(entries.get(key) ?? {}),
    invalidate: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    close() {
      closing.abort(new Error('the cache is closed'));
      entries.clear();
    },
  };
}
