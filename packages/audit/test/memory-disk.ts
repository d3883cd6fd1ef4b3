import { basename, dirname } from 'node:path';

import { EVENT_KIND, scanLines } from '../src/chain/record.ts';
import type { AuditEvent, AuditFile, AuditFileSystem } from '../src/index.ts';
import { parseEvent } from '../src/segments/stored-event.ts';

/** A file: what programs see, and what a power loss leaves at least. */
interface Content {
  bytes: Buffer;
  durable: Buffer;
}

/** A disk in memory that can lose its power. `makeDirectory` and the lock stay with the real one. */
export interface MemoryDisk extends AuditFileSystem {
  /** The files by path, for a test to read and to change. */
  readonly files: Map<string, Content>;
  /** What is there after a power loss now: everything synced, and a random part of the rest. */
  readonly afterPowerLoss: (random: () => number) => MemoryDisk;
  /** Another disk with the same files, all of them durable. */
  readonly copy: () => MemoryDisk;
}

/** `isHonest: false` is a disk, or a program, that never syncs. */
export function memoryDisk({ isHonest = true } = {}): MemoryDisk {
  const files = new Map<string, Content>();
  let durableNames = new Map<string, Content>();

  function missing(path: string): Error {
    return Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
  }

  function handle(content: Content): AuditFile {
    const write = (bytes: Uint8Array, offset: number): void => {
      const end = offset + bytes.length;
      const grown = Buffer.alloc(Math.max(content.bytes.length, end));
      content.bytes.copy(grown);
      grown.set(bytes, offset);
      content.bytes = grown;
    };
    const sync = (): void => {
      if (isHonest) {
        content.durable = content.bytes;
      }
    };
    return {
      write: async (bytes, offset) => write(bytes, offset),
      async writeDurably(bytes, offset) {
        write(bytes, offset);
        // A crash may come between the two.
        await Promise.resolve();
        sync();
      },
      read: (offset, length) => Promise.resolve(content.bytes.subarray(offset, offset + length)),
      size: () => Promise.resolve(content.bytes.length),
      datasync: async () => sync(),
      async truncate(sizeBytes) {
        content.bytes = Buffer.concat([content.bytes.subarray(0, sizeBytes)], sizeBytes);
      },
      close: () => Promise.resolve(),
    };
  }

  const disk: MemoryDisk = {
    files,
    async makeDirectory() {},
    list: (path) =>
      Promise.resolve(
        [...files.keys()].filter((name) => dirname(name) === path).map((name) => basename(name)),
      ),
    async open(path, mode) {
      const found = files.get(path);
      if (found !== undefined && mode === 'create') {
        throw Object.assign(new Error(`exists: ${path}`), { code: 'EEXIST' });
      }
      if (found === undefined && mode === 'read') {
        throw missing(path);
      }
      const content = found ?? { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
      files.set(path, content);
      return handle(content);
    },
    async rename(from, to) {
      const content = files.get(from);
      if (content === undefined) {
        throw missing(from);
      }
      files.delete(from);
      files.set(to, content);
    },
    async remove(path) {
      if (!files.delete(path)) {
        throw missing(path);
      }
    },
    async syncDirectory(path) {
      if (!isHonest) {
        return;
      }
      durableNames = new Map([...durableNames].filter(([name]) => dirname(name) !== path));
      for (const [name, content] of files) {
        if (dirname(name) === path) {
          durableNames.set(name, content);
        }
      }
    },
    afterPowerLoss(random) {
      const left = memoryDisk({ isHonest });
      // The journal may have written newer names than the last sync asked for.
      const names = random() < 0.5 ? durableNames : files;
      for (const [name, content] of names) {
        const bytes = survivingBytes(content, random);
        left.files.set(name, { bytes, durable: bytes });
      }
      for (const path of new Set([...names.keys()].map((name) => dirname(name)))) {
        void left.syncDirectory(path);
      }
      return left;
    },
    copy() {
      const copied = memoryDisk();
      for (const [name, { bytes }] of files) {
        copied.files.set(name, { bytes, durable: bytes });
      }
      return copied;
    },
  };
  return disk;
}

const SECTOR_BYTES = 512;

function nextSector(offset: number): number {
  return (Math.floor(offset / SECTOR_BYTES) + 1) * SECTOR_BYTES;
}

function survivingBytes({ bytes, durable }: Content, random: () => number): Buffer {
  const isAppended = bytes.subarray(0, durable.length).equals(durable);
  if (!isAppended) {
    return random() < 0.5 ? durable : bytes;
  }
  const kept = durable.length + Math.floor(random() * (bytes.length - durable.length + 1));
  const surviving = Buffer.from(bytes.subarray(0, kept));
  // The size may be newer than the data: the rest of the file reads as zeros.
  if (random() < 0.3) {
    surviving.fill(0, durable.length + Math.floor(random() * (kept - durable.length + 1)));
  }
  // Sectors are written in any order: some of the last write may be there, and those before them not.
  if (random() < 0.5) {
    for (let start = durable.length; start < kept; start = nextSector(start)) {
      if (random() < 0.3) {
        surviving.fill(0, start, Math.min(nextSector(start), kept));
      }
    }
  }
  return surviving;
}

/** All segments of a directory on the disk, oldest first. */
export function segmentsOn(disk: MemoryDisk, directory: string): [path: string, content: Content][] {
  return [...disk.files]
    .filter(([path]) => dirname(path) === directory && path.endsWith('.jsonl'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** All events of a directory on the disk, in order; damaged ones are left out. */
export function eventsOn(disk: MemoryDisk, directory: string): AuditEvent[] {
  return segmentsOn(disk, directory)
    .flatMap(([, { bytes }]) => [...scanLines(bytes)])
    .flatMap(({ record }) => (record?.kind === EVENT_KIND ? [parseEvent(record)] : []));
}
