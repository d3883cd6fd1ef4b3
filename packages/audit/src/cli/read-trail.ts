import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { decodeRecord, EVENT_KIND, type StoredRecord } from '../chain/record.ts';
import type { AuditEvent } from '../event/event.ts';
import { segmentNumbers, segmentPath } from '../segments/segment-header.ts';
import { parseEvent } from '../segments/stored-event.ts';
import { required, UsageError, type CliContext } from './command.ts';

/** A place in a trail: so many bytes into a segment. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
}

/** One finished line of a trail, and where the next one begins. */
interface TrailLine {
  /** `undefined` when the bytes are not what was written. */
  readonly record: StoredRecord | undefined;
  readonly next: Place;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1024 * 1024;
const START: Place = { segment: 0, offset: 0 };

/** The options of a command that reads trails. */
export const trailOptions = {
  directory: {
    type: 'string',
    value: '<path>',
    description: 'The directory of a trail, or the state directory of a server.',
  },
  json: { type: 'boolean', description: 'JSON lines instead of a table.' },
} as const;

/**
 * Finds the trails in a directory: itself, or those of the numbered directories in a server's state directory.
 * @throws {UsageError} when there is none
 */
export async function findTrails(directory: string): Promise<string[]> {
  const names = await list(directory);
  if (segmentNumbers(names).length > 0) {
    return [directory];
  }
  const found: string[] = [];
  for (const name of names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
    for (const candidate of [join(directory, name), join(directory, name, 'audit')]) {
      if (segmentNumbers(await list(candidate)).length > 0) {
        found.push(candidate);
      }
    }
  }
  if (found.length === 0) {
    throw new UsageError(`There is no audit trail in ${directory}`);
  }
  return found;
}

/**
 * Finds the one trail in a directory.
 * @throws {UsageError} when there is none, or more than one
 */
export async function findTrail(directory: string | undefined): Promise<string> {
  const trails = await findTrails(required('--directory', directory));
  const [trail] = trails;
  if (trail === undefined || trails.length > 1) {
    throw new UsageError(`There are several trails; give --directory one of ${trails.join(', ')}`);
  }
  return trail;
}

/** Counts damaged records, and makes an exit status of their number. */
export interface DamageCount {
  readonly add: () => void;
  /** Says how many there were; 1 if any. */
  readonly exitStatus: () => number;
}

/** Begins to count damaged records. */
export function createDamageCount({ stderr }: CliContext): DamageCount {
  let damaged = 0;
  return {
    add() {
      damaged += 1;
    },
    exitStatus() {
      if (damaged === 0) {
        return 0;
      }
      stderr.write(`mcp-audit: ${damaged} damaged records were left out; run mcp-audit verify\n`);
      return 1;
    },
  };
}

/**
 * Reads the events of a trail, oldest first; a server may go on writing meanwhile. Calls `onDamage` for each line that
 * is not what was written.
 * Segments that nobody wrote to since `sinceMs` (in milliseconds since the Unix epoch) are left out.
 */
export async function* readEvents(
  directory: string,
  options: {
    readonly onDamage: () => void;
    readonly sinceMs?: number | undefined;
    readonly from?: Place | undefined;
  },
): AsyncGenerator<{ readonly event: AuditEvent; readonly next: Place }> {
  const { onDamage, sinceMs = 0, from = START } = options;
  for (const segment of segmentNumbers(await list(directory))) {
    if (segment < from.segment) {
      continue;
    }
    const { mtimeMs } = await stat(segmentPath(directory, segment));
    if (mtimeMs < sinceMs) {
      continue;
    }
    const offset = segment === from.segment ? from.offset : 0;
    for await (const { record, next } of readSegment(directory, segment, offset)) {
      if (record === undefined) {
        onDamage();
      } else if (record.kind === EVENT_KIND) {
        yield { event: parseEvent(record), next };
      }
    }
  }
}

async function* readSegment(directory: string, segment: number, start: number): AsyncGenerator<TrailLine> {
  const file = await open(segmentPath(directory, segment), 'r');
  try {
    let rest = Buffer.alloc(0);
    let offset = start;
    for (;;) {
      const position = offset + rest.length;
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
      if (bytesRead === 0) {
        return;
      }
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (;;) {
        const newline = rest.indexOf(NEWLINE);
        if (newline === -1) {
          break;
        }
        offset += newline + 1;
        const record = decodeRecord(rest.subarray(0, newline));
        rest = rest.subarray(newline + 1);
        yield { record, next: { segment, offset } };
      }
    }
  } finally {
    await file.close();
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return [];
    }
    throw error;
  }
}
