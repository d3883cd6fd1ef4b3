/** Whose value it is, how large, and for how long it is kept. */
interface Kept {
  /** In milliseconds. */
  readonly ttlMs: number;
  /** Those without one share one share. */
  readonly owner?: string | undefined;
  /** About as many as it takes. @default 0 */
  readonly bytes?: number | undefined;
}

/** How much is kept, in all and of one owner. */
export interface MemoryBounds {
  readonly maxValues: number;
  readonly maxValuesPerOwner: number;
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
}

/** Values that end, in a room of which no owner takes more than a share. */
export interface BoundedMemory<Value> {
  /** `undefined` once its time is over. */
  readonly get: (key: string) => Value | undefined;
  /** Puts it in the place of what has the key. `false`: there is no room, and nothing has changed. */
  readonly put: (key: string, value: Value, kept: Kept) => boolean;
  readonly delete: (key: string) => void;
  /** Those whose time is not over, in the order in which they were put. */
  readonly all: () => readonly Value[];
}

interface Entry<Value> {
  readonly value: Value;
  readonly owner: string;
  readonly bytes: number;
  readonly endsAt: number;
}

interface Room {
  values: number;
  bytes: number;
}

/** What is full stays so for a while, and is not looked through for each who asks. */
const LOOK_AGAIN_MS = 1_000;

/** Creates an empty one. Its clock only measures, so that nothing ends early or late when the time of day is set. */
export function createBoundedMemory<Value>(
  bounds: MemoryBounds,
  now: () => number = () => performance.now(),
): BoundedMemory<Value> {
  const entries = new Map<string, Entry<Value>>();
  const owners = new Map<string, Room>();
  const all: Room = { values: 0, bytes: 0 };
  let lookedAt = -Infinity;

  function move({ owner, bytes }: Entry<Value>, by: 1 | -1): void {
    const own = owners.get(owner) ?? { values: 0, bytes: 0 };
    for (const room of [own, all]) {
      room.values += by;
      room.bytes += by * bytes;
    }
    if (own.values === 0) {
      owners.delete(owner);
    } else {
      owners.set(owner, own);
    }
  }

  function remove(key: string): Entry<Value> | undefined {
    const entry = entries.get(key);
    if (entry !== undefined) {
      entries.delete(key);
      move(entry, -1);
    }
    return entry;
  }

  function fits({ owner, bytes }: Entry<Value>): boolean {
    const own = owners.get(owner) ?? { values: 0, bytes: 0 };
    return (
      own.values < bounds.maxValuesPerOwner &&
      own.bytes + bytes <= bounds.maxBytesPerOwner &&
      all.values < bounds.maxValues &&
      all.bytes + bytes <= bounds.maxBytes
    );
  }

  function forgetEnded(): void {
    const time = now();
    if (time - lookedAt < LOOK_AGAIN_MS) {
      return;
    }
    lookedAt = time;
    for (const [key, { endsAt }] of entries) {
      if (endsAt <= time) {
        remove(key);
      }
    }
  }

  return {
    get(key) {
      const entry = entries.get(key);
      return entry !== undefined && entry.endsAt > now() ? entry.value : undefined;
    },
    put(key, value, { ttlMs, owner = '', bytes = 0 }) {
      const before = remove(key);
      const entry = { value, owner, bytes, endsAt: now() + ttlMs };
      if (!fits(entry)) {
        forgetEnded();
      }
      const isKept = fits(entry);
      const kept = isKept ? entry : before;
      if (kept !== undefined) {
        entries.set(key, kept);
        move(kept, 1);
      }
      return isKept;
    },
    delete: (key) => void remove(key),
    all() {
      const time = now();
      return [...entries.values()].flatMap(({ value, endsAt }) => (endsAt > time ? [value] : []));
    },
  };
}
