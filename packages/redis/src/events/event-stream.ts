import type { Redis } from 'ioredis';

import type { Connection } from '../connection/connection.ts';

/** What a reader is told. */
export interface StreamListener {
  readonly onEntry: (fields: Readonly<Record<string, string>>) => void;
  /** Entries are gone that were not read. */
  readonly onGap: () => void;
}

/** About so many entries are kept, by those who write. */
export const MAX_ENTRIES = 1_000;
const BATCH = 100;
/** Less than the silence after which the connection is given up. */
const BLOCK_MS = 2_000;
const PAUSE_MS = 250;
const BEGIN = '0-0';

/** Reads what is added to a stream from now on, on a connection of its own, through every outage. */
export function followStream(
  { open }: Connection,
  key: string,
  { onEntry, onGap }: StreamListener,
): { readonly close: () => Promise<void> } {
  const client = open({});
  const stopping = new AbortController();
  let position: string | undefined;

  /** Where to go on: at the end for the first time, or when something is missing between. */
  async function place(): Promise<string> {
    const [oldest, newest, count] = await Promise.all([
      idOf(client.xrange(key, '-', '+', 'COUNT', 1)),
      idOf(client.xrevrange(key, '+', '-', 'COUNT', 1)),
      client.xlen(key),
    ]);
    const end = newest ?? BEGIN;
    if (position === undefined) {
      return end;
    }
    const isWhole =
      position === BEGIN
        ? count < MAX_ENTRIES
        : !isBefore(end, position) && oldest !== undefined && !isBefore(position, oldest);
    if (isWhole) {
      return position;
    }
    onGap();
    return end;
  }

  async function read(from: string): Promise<string> {
    const reply = await client.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', key, from);
    const entries = reply?.[0]?.[1] ?? [];
    let last = from;
    for (const [id, fields] of entries) {
      onEntry(toRecord(fields ?? []));
      last = id;
    }
    if (entries.length === BATCH) {
      // So many at once: whoever writes may have removed the next ones already.
      position = last;
      return place();
    }
    return last;
  }

  async function follow(): Promise<void> {
    let isPlaced = false;
    while (!stopping.signal.aborted) {
      try {
        await whenReady(client, stopping.signal);
        position = isPlaced ? await read(position ?? BEGIN) : await place();
        isPlaced = true;
      } catch {
        // Gone, or going: the connection tries again by itself, and what was missed is looked for then.
        isPlaced = false;
        await sleep(PAUSE_MS, stopping.signal);
      }
    }
  }

  const following = follow();
  return {
    async close() {
      stopping.abort();
      client.disconnect();
      await following;
    },
  };
}

/** The ids of entries: milliseconds and a number. */
function isBefore(one: string, other: string): boolean {
  const [time = 0, number = 0] = one.split('-').map(Number);
  const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number);
  return time < otherTime || (time === otherTime && number < otherNumber);
}

async function idOf(entries: Promise<readonly (readonly [string, unknown])[]>): Promise<string | undefined> {
  return (await entries)[0]?.[0];
}

function toRecord(fields: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) {
    record[fields[index] ?? ''] = fields[index + 1] ?? '';
  }
  return record;
}

function whenReady(client: Redis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (client.status === 'ready' || signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      client.off('ready', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    client.once('ready', done);
    signal.addEventListener('abort', done);
  });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, signal.aborted ? 0 : ms);
    signal.addEventListener('abort', done);
  });
}
