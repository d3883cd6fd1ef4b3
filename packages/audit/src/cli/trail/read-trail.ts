import { join } from 'node:path';

import { decodeRecord, EVENT_KIND, type StoredRecord } from '../../chain/record.ts';
import { withCompressedSegments } from '../../disk/compressed-segments.ts';
import { nodeFileSystem, type AuditFileSystem } from '../../disk/file-system.ts';
import type { AuditEvent } from '../../event/event.ts';
import { segmentNumbers, segmentPath } from '../../segments/segment-header.ts';
import { parseEvent } from '../../segments/stored-event.ts';
import { required, UsageError, type CliContext } from '../usage/command.ts';

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
  if (await hasSegments(directory)) {
    return [directory];
  }
  const found: string[] = [];
  for (const name of await numberedFirst(directory)) {
    for (const candidate of [join(directory, name), join(directory, name, 'audit')]) {
      if (await hasSegments(candidate)) {
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
 * Finds the trails in a directory, and the places where one should be: what a server opened once keeps its lock and its
 * key beside the segments, and each numbered directory of a state directory has a trail. The directory itself when
 * there is nothing else.
 */
export async function findExpectedTrails(directory: string): Promise<string[]> {
  if (await isExpected(directory)) {
    return [directory];
  }
  const found: string[] = [];
  for (const name of await numberedFirst(directory)) {
    const nested = join(directory, name, 'audit');
    if (await isExpected(join(directory, name))) {
      found.push(join(directory, name));
    } else if ((await isExpected(nested)) || /^\d+$/u.test(name)) {
      found.push(nested);
    }
  }
  return found.length > 0 ? found : [directory];
}

async function numberedFirst(directory: string): Promise<string[]> {
  return (await list(directory)).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

async function hasSegments(directory: string): Promise<boolean> {
  return segmentNumbers(await list(directory)).length > 0;
}

async function isExpected(directory: string): Promise<boolean> {
  const names = await list(directory);
  return (
    segmentNumbers(names).length > 0 ||
    names.some((name) => name === 'lock.db' || /^(?:signing-key|cursor-)/u.test(name))
  );
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
 * is not what was written. Reads every segment: by the time of a file alone, anybody could hide it.
 */
export async function* readEvents(
  directory: string,
  options: { readonly onDamage: () => void; readonly from?: Place | undefined },
): AsyncGenerator<{ readonly event: AuditEvent; readonly next: Place }> {
  const { onDamage, from = START } = options;
  const fileSystem = withCompressedSegments(nodeFileSystem);
  for (const segment of segmentNumbers(await list(directory))) {
    if (segment < from.segment) {
      continue;
    }
    const offset = segment === from.segment ? from.offset : 0;
    for await (const { record, next } of readSegment(fileSystem, directory, { segment, offset })) {
      if (record === undefined) {
        onDamage();
      } else if (record.kind === EVENT_KIND) {
        yield { event: parseEvent(record), next };
      }
    }
  }
}

async function* readSegment(
  fileSystem: AuditFileSystem,
  directory: string,
  { segment, offset: start }: Place,
): AsyncGenerator<TrailLine> {
  const file = await fileSystem.open(segmentPath(directory, segment), 'read');
  try {
    let rest = Buffer.alloc(0);
    let offset = start;
    for (;;) {
      const position = offset + rest.length;
      const left = (await file.size()) - position;
      if (left <= 0) {
        return;
      }
      const chunk = await file.read(position, Math.min(left, CHUNK_BYTES));
      rest = Buffer.concat([rest, chunk]);
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
    return await withCompressedSegments(nodeFileSystem).list(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return [];
    }
    throw error;
  }
}
