import { untilAborted } from '../abort.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';

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
 * has. A failure is never kept as an answer: it only spaces the attempts, 1 to 30 seconds.
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
  answer?: (Answer<Value> & { readonly staleAt: number; readonly refreshAt: number }) | undefined;
  load?: { readonly asOf: number; readonly answer: Promise<Answer<Value>> } | undefined;
  failure?: { readonly count: number; readonly retryAt: number; readonly error: unknown } | undefined;
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
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(loadTimeoutMs)]);
    try {
      const value = await untilAborted(load(signal), signal);
      // Two loads overlap when the second must not be older than it is: the later question has the later answer.
      if (entry.answer === undefined || entry.answer.asOf <= asOf) {
        const ttl = ttlMs(value);
        entry.answer = { value, asOf, staleAt: asOf + ttl, refreshAt: asOf + ttl * REFRESH_FROM };
        entry.failure = undefined;
      }
      return { value, asOf };
    } catch (error) {
      const count = (entry.failure?.count ?? 0) + 1;
      const maxMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (count - 1));
      entry.failure = { count, retryAt: now() + maxMs * (0.5 + random() / 2), error };
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

  return {
    async get(key, load, { signal, maxAgeMs = Infinity }) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const entry = use(key);
      const at = now();
      const { answer, failure } = entry;
      const isBackingOff = failure !== undefined && at < failure.retryAt;
      if (answer !== undefined && at < answer.staleAt && at - answer.asOf <= maxAgeMs) {
        // A failed refresh is not this caller's problem: the answer is still good.
        if (at >= answer.refreshAt && !isBackingOff) {
          loadOnce(entry, load, -Infinity).catch(() => undefined);
        }
        return { value: answer.value, asOf: answer.asOf };
      }
      try {
        if (isBackingOff) {
          throw failure.error;
        }
        return await untilAborted(loadOnce(entry, load, at - maxAgeMs), signal);
      } catch (error) {
        signal.throwIfAborted();
        closing.signal.throwIfAborted();
        const { answer: last } = entry;
        const age = now() - (last?.asOf ?? -Infinity);
        if (last === undefined || age > maxStaleMs || age > maxAgeMs) {
          throw error;
        }
        return { value: last.value, asOf: last.asOf };
      }
    },
    retryAfterMs: (key) => Math.max(0, (entries.get(key)?.failure?.retryAt ?? 0) - now()),
    invalidate: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    close() {
      closing.abort(new Error('the cache is closed'));
      entries.clear();
    },
  };
}
