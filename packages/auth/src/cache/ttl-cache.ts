import { untilAborted } from '../abort.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { ageOf } from '../facts/clock-age.ts';

/** How long values count, and how many are kept. */
export interface TtlCacheOptions<Value> {
  /** How long a value is served, in milliseconds. */
  readonly ttlMs: (value: Value) => number;
  /** Whether a value is of somebody known. Those are kept apart, so that strangers displace none of them. */
  readonly isKnown: (value: Value) => boolean;
  /** Values kept of each kind, 1 to 1_000_000. @default 10_000 */
  readonly maxEntries?: number | undefined;
  /** Deadline of one load, in milliseconds: 1 to 2_147_483_647. */
  readonly loadTimeoutMs: number;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** @throws {RangeError} naming the number */
function resolveTtlCacheOptions<Value>(
  options: TtlCacheOptions<Value>,
): TtlCacheOptions<Value> & { readonly maxEntries: number } {
  const { maxEntries = 10_000 } = options;
  checkWhole('maxEntries', maxEntries, 1, 1_000_000);
  checkWhole('loadTimeoutMs', options.loadTimeoutMs, 1, MAX_TIMER_MS);
  return { ...options, maxEntries };
}

/** A bounded cache that asks once however many wait. A failed load is never kept, nor what is older than the clock. */
export interface TtlCache<Value> {
  /**
   * The value under `key`, asked for with `load` when there is none or it is stale. `load` hears whether the last value
   * under this key, however old, was of somebody known; the signal that it gets ends with the deadline or the cache, not
   * with one waiter.
   */
  readonly get: (
    key: string,
    signal: AbortSignal,
    load: (signal: AbortSignal, wasKnown: boolean) => Promise<Value>,
  ) => Promise<Value>;
  /** Forgets everything and ends loads in flight. */
  readonly close: () => void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly keptAt: number;
  readonly ttlMs: number;
}

/**
 * Creates a cache; of each kind, the longest unused entry goes first when it is full.
 * @throws {RangeError} naming the number
 */
export function createTtlCache<Value>(options: TtlCacheOptions<Value>): TtlCache<Value> {
  const { ttlMs, isKnown, maxEntries, loadTimeoutMs, now } = resolveTtlCacheOptions(options);
  const closing = new AbortController();
  // A Map iterates in order of insertion, so the first key is the longest unused.
  const known = new Map<string, Entry<Value>>();
  const strangers = new Map<string, Entry<Value>>();
  const loads = new Map<string, Promise<Value>>();

  function keep(key: string, entry: Entry<Value>): void {
    known.delete(key);
    strangers.delete(key);
    const entries = isKnown(entry.value) ? known : strangers;
    entries.set(key, entry);
    if (entries.size > maxEntries) {
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    }
  }

  async function loadAndKeep(
    key: string,
    load: (signal: AbortSignal, wasKnown: boolean) => Promise<Value>,
  ): Promise<Value> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(loadTimeoutMs)]);
    const value = await untilAborted(load(signal, known.has(key)), signal);
    keep(key, { value, keptAt: now(), ttlMs: ttlMs(value) });
    return value;
  }

  return {
    async get(key, signal, load) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const entry = known.get(key) ?? strangers.get(key);
      if (entry !== undefined && ageOf(entry.keptAt, now()) < entry.ttlMs) {
        keep(key, entry);
        return entry.value;
      }
      let loading = loads.get(key);
      if (loading === undefined) {
        loading = loadAndKeep(key, load).finally(() => loads.delete(key));
        loads.set(key, loading);
      }
      return untilAborted(loading, signal);
    },
    close() {
      closing.abort(new Error('the cache is closed'));
      known.clear();
      strangers.clear();
    },
  };
}
