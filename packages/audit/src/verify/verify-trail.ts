import type { KeyObject } from 'node:crypto';

import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import { byKeyId, type PublicKeys } from '../chain/signer.ts';
import { readCursor, type Cursor } from '../delivery/cursor.ts';
import { checkPath } from '../disk/check-path.ts';
import { withCompressedSegments } from '../disk/compressed-segments.ts';
import { nodeFileSystem, withFile, type AuditFileSystem } from '../disk/file-system.ts';
import { silentLogger } from '../logger.ts';
import { readHeader, segmentNumbers, segmentPath } from '../segments/segment-header.ts';
import type { TrailVerification } from './finding.ts';
import { TrailWalk } from './trail-walk.ts';

/** What to verify, and against what. */
export interface VerifyTrailOptions {
  /** The directory of a trail, or a copy of its segments. Nothing in it is changed; a writer may go on. */
  readonly directory: string;
  /**
   * The public keys of the checkpoints, chosen by key id: all that signed what is still kept. With them, events that
   * have no signature although they should are a finding. @default no signature is checked, only the chain
   */
  readonly publicKey?: KeyObject | readonly KeyObject[] | undefined;
  /**
   * The last checkpoint that somebody else has, such as the collector: shows whether the end was cut off. Of several,
   * the one of this trail counts, and there must be one.
   */
  readonly anchor?: AuditCheckpoint | readonly AuditCheckpoint[] | undefined;
  /**
   * When the trail was as it is, in milliseconds since the Unix epoch: now, or when it was copied. The last events of
   * a trail that somebody writes to have no signature yet. @default now
   */
  readonly seenAt?: number | undefined;
  /** File operations. @default the machine's */
  readonly fileSystem?: AuditFileSystem | undefined;
}

interface ResolvedVerifyTrailOptions {
  readonly directory: string;
  readonly keys: PublicKeys | undefined;
  readonly anchors: readonly AuditCheckpoint[] | undefined;
  readonly seenAt: number;
  readonly fileSystem: AuditFileSystem;
}

/** @throws {TypeError} when there is no directory */
function resolveVerifyTrailOptions(options: VerifyTrailOptions): ResolvedVerifyTrailOptions {
  const { directory, publicKey, anchor, seenAt = Date.now(), fileSystem = nodeFileSystem } = options;
  checkPath('directory', directory);
  const keys = publicKey === undefined ? undefined : byKeyId([publicKey].flat());
  const anchors = anchor === undefined ? undefined : [anchor].flat();
  return { directory, keys, anchors, seenAt, fileSystem: withCompressedSegments(fileSystem) };
}

/**
 * Verifies every record of a trail, offline. Reads one segment at a time.
 * @throws {TypeError} when there is no directory
 */
export async function verifyTrail(options: VerifyTrailOptions): Promise<TrailVerification> {
  const { directory, keys, anchors, seenAt, fileSystem } = resolveVerifyTrailOptions(options);
  const names = await listIfPresent(directory, fileSystem);
  const numbers = segmentNumbers(names);
  const walk = new TrailWalk({
    keys,
    anchors,
    seenAt,
    cursors: await readCursors(directory, fileSystem, names),
  });
  for (const [index, number] of numbers.entries()) {
    const next = numbers[index + 1];
    const linked = next === undefined ? undefined : (await readHeader(directory, fileSystem, next))?.header;
    const limit = linked?.previous?.segment === number ? linked.previous.sizeBytes : undefined;
    const bytes = await withFile(fileSystem, segmentPath(directory, number), 'read', async (file) =>
      file.read(0, limit ?? (await file.size())),
    );
    walk.segment(number, bytes, next === undefined);
  }
  return walk.end();
}

async function readCursors(
  directory: string,
  fileSystem: AuditFileSystem,
  names: readonly string[],
): Promise<readonly Cursor[]> {
  const sinks = names.flatMap((name) => /^cursor-([a-z0-9-]+)\.json$/.exec(name)?.[1] ?? []);
  const cursors = await Promise.all(
    sinks.map((sink) => readCursor(directory, fileSystem, sink, silentLogger)),
  );
  return cursors.filter((cursor) => cursor !== undefined);
}

// A directory that is gone has no trail, which is a finding and not a failure.
async function listIfPresent(directory: string, fileSystem: AuditFileSystem): Promise<string[]> {
  try {
    return await fileSystem.list(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}
