import { untilAborted } from '../abort.ts';
import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';

/** How long values count, and how many are kept. */
export interface TtlCacheOptions<Value> {
  /** How long a value is served, in milliseconds. */
  readonly ttlMs: (value: Value) => number;
  /** Values kept, 1 to 1_000_000. @default 10_000 */
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

/** A bounded cache that asks once however many wait. A failed load is never kept. */
export interface TtlCache<Value> {
  /**
   * The value under `key`, asked for with `load` when there is none or it is stale. The signal that `load`
   * gets ends with the deadline or the cache, not with one waiter.
   */
  readonly get: (
    key: string,
    signal: AbortSignal,
    load: (signal: AbortSignal) => Promise<Value>,
  ) => Promise<Value>;
  /** Forgets everything and ends loads in flight. */
  readonly close: () => void;
}

/**
 * Creates a cache; the longest unused entry goes first when it is full.
 * @throws {RangeError} naming the number
 */
export function createTtlCache<Value>(options: TtlCacheOptions<Value>): TtlCache<Value> {
  const { ttlMs, maxEntries, loadTimeoutMs, now } = resolveTtlCacheOptions(options);
  const closing = new AbortController();
  // A Map iterates in order of insertion, so the first key is the longest unused.
  const entries = new Map<string, { readonly value: Value; readonly staleAt: number }>();
  const loads = new Map<string, Promise<Value>>();

  async function loadAndKeep(key: string, load: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(loadTimeoutMs)]);
    const value = await untilAborted(load(signal), signal);
    entries.delete(key);
    entries.set(key, { value, staleAt: now() + ttlMs(value) });
    if (entries.size > maxEntries) {
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    }
    return value;
  }

  return {
    async get(key, signal, load) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const entry = entries.get(key);
      if (entry !== undefined && now() < entry.staleAt) {
        entries.delete(key);
        entries.set(key, entry);
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
      entries.clear();
    },
  };
}
