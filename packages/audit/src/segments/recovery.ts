import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import { GENESIS, type ChainTip } from '../chain/record.ts';
import type { PublicKeys } from '../chain/signer.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import type { AuditIntentEvent } from '../event/event.ts';
import type { Logger } from '../logger.ts';
import { examineEvidence, type Delivered } from './evidence.ts';
import {
  HEADER_KIND,
  segmentName,
  segmentNumbers,
  segmentPath,
  type BrokenChain,
  type OpenIntent,
} from './segment-header.ts';
import { loadSegment, type LoadedSegment } from './segment-reader.ts';
import { readIntent } from './stored-event.ts';

/** What an earlier run left behind. */
export interface RecoveredLog {
  readonly writerId: string;
  /** Oldest first. The size of one that was not read is not known. */
  readonly segments: readonly {
    readonly number: number;
    readonly sizeBytes?: number | undefined;
    /** Whether every record in it was found to be what was written. */
    readonly isWhole?: boolean | undefined;
  }[];
  /** The highest number that was ever used. */
  readonly lastNumber: number;
  readonly tip: ChainTip;
  /** Where the intents without an outcome are stored, oldest first. */
  readonly openIntents: readonly OpenIntent[];
  /** The same intents, as far as they can be read. */
  readonly interrupted: readonly AuditIntentEvent[];
  /** The last event that a checkpoint vouches for. */
  readonly coveredSequence: number;
  /** When the last record was made, in milliseconds since the Unix epoch, as far as the trail says. */
  readonly lastTime: number | undefined;
  /** The segment in which the chain began that is continued. */
  readonly chainStart: number | undefined;
  /** Set when the chain cannot be continued: the next segment starts a new one. */
  readonly broken?: BrokenChain | undefined;
  /** Whether that is because it is whole but not what was written. */
  readonly isForged: boolean;
}

/** What a start believes: public keys, how far each sink got, and what others kept of a writer. */
export interface Evidence {
  readonly keys: PublicKeys;
  readonly delivered: readonly Delivered[];
  readonly anchorsOf: (writerId: string) => Promise<readonly AuditCheckpoint[]>;
}

/**
 * Finds the end of the chain in a directory and repairs it. Verifies links and signatures of the last two segments
 * only, so a start takes no longer when the log has grown, and that what each sink was given is in it. A crash may
 * leave a part of the last commit, and a failed write may leave refused records; both are cut off and kept in a
 * `.torn` file. Anything else that is not right leaves every file as it is.
 */
export async function recoverLog(
  directory: string,
  fileSystem: AuditFileSystem,
  logger: Logger,
  { keys, delivered, anchorsOf }: Evidence,
): Promise<RecoveredLog> {
  const disk = { directory, fileSystem, logger };
  const numbers = segmentNumbers(await fileSystem.list(directory));
  const lastNumber = Math.max(0, ...numbers.slice(-1), ...delivered.map(({ segment }) => segment));
  const last = await lastWithRecords(disk, numbers);
  const previous = await previousOf(disk, last, numbers);
  await fileSystem.syncDirectory(directory);

  const writerId =
    last?.header?.writerId ?? previous?.header?.writerId ?? delivered[0]?.writerId ?? randomUUID();
  const deliveredSequence = Math.max(
    0,
    ...delivered.filter((mark) => mark.writerId === writerId).map((mark) => mark.sequence),
  );
  const damage = findDamage(last, previous, numbers, deliveredSequence);
  const chain = [isContinued(last, previous) ? previous : undefined, last].filter(
    (segment) => segment !== undefined,
  );
  const anchors = last === undefined ? [] : await anchorsOf(writerId);
  const evidence = await examineEvidence(disk, chain, { keys, delivered, anchors, writerId });
  const highest = Math.max(
    previous?.highestSequence ?? 0,
    last?.highestSequence ?? 0,
    deliveredSequence,
    ...anchors.map(({ sequence }) => sequence),
  );
  const { forgery: reason } = evidence;
  const forgery = reason === undefined || last === undefined ? undefined : endOf(last, reason);
  const broken = damage ?? forgery;
  if (broken === undefined) {
    await cutPrevious(disk, last, previous);
    if (last !== undefined) {
      await settle(disk, last, last.endOffset);
    }
  } else if (last !== undefined) {
    await settle(disk, last, last.bytes.length);
  }

  const openIntents = openAfter([previous, last]);
  return {
    writerId,
    segments: numbers.map((number) => ({ number, ...knownOf(number, chain, broken) })),
    lastNumber,
    tip: broken === undefined ? (last?.tip ?? GENESIS) : { sequence: highest, hash: GENESIS.hash },
    openIntents,
    interrupted: await readIntents(disk, openIntents),
    coveredSequence: broken === undefined ? evidence.coveredSequence : highest,
    lastTime: evidence.lastTime,
    chainStart: last?.header?.chainStart,
    broken,
    isForged: damage === undefined && forgery !== undefined,
  };
}

interface Disk {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly logger: Logger;
}

// A crash while a segment is created leaves a file without a whole line; nothing in it was acknowledged.
async function lastWithRecords(disk: Disk, numbers: number[]): Promise<LoadedSegment | undefined> {
  for (let number = numbers.at(-1); number !== undefined; number = numbers.at(-1)) {
    const segment = await loadSegment(disk.directory, disk.fileSystem, number);
    if (segment.endOffset > 0 || !segment.isTorn) {
      return segment;
    }
    await setAside(disk, number);
    numbers.pop();
  }
  return undefined;
}

async function previousOf(
  disk: Disk,
  last: LoadedSegment | undefined,
  numbers: number[],
): Promise<LoadedSegment | undefined> {
  const linked = last?.header?.previous;
  if (linked !== undefined) {
    // A segment whose first commit failed and that could not be removed: the next one does not link to it.
    const refused = numbers.slice(0, -1).filter((number) => number > linked.segment);
    for (const number of refused) {
      await setAside(disk, number);
    }
    numbers.splice(-1 - refused.length, refused.length);
  }
  const number = numbers.at(-2);
  if (number === undefined) {
    return undefined;
  }
  const limit = linked?.segment === number ? linked.sizeBytes : undefined;
  return loadSegment(disk.directory, disk.fileSystem, number, limit);
}

function endOf({ number, tip }: Pick<LoadedSegment, 'number' | 'tip'>, reason: string): BrokenChain {
  return { segment: number, ...tip, reason };
}

/** Whether the last segment goes on with the chain of the one before it. */
function isContinued(last: LoadedSegment | undefined, previous: LoadedSegment | undefined): boolean {
  return (
    last !== undefined &&
    previous !== undefined &&
    previous.tip.sequence === last.start.sequence &&
    previous.tip.hash === last.start.hash &&
    previous.endOffset === previous.limit
  );
}

function findDamage(
  last: LoadedSegment | undefined,
  previous: LoadedSegment | undefined,
  numbers: readonly number[],
  deliveredSequence: number,
): BrokenChain | undefined {
  if (last === undefined) {
    const missing = { number: 0, tip: GENESIS };
    return deliveredSequence > 0 ? endOf(missing, 'every segment is missing') : undefined;
  }
  if (last.header === undefined) {
    return endOf(last, 'the first record is damaged');
  }
  if (!last.isTorn && last.endOffset < last.bytes.length) {
    return endOf(last, 'a record is damaged');
  }
  if (deliveredSequence > last.tip.sequence) {
    return endOf(last, `record ${deliveredSequence} was delivered and is missing`);
  }
  // The chain starts in this segment; what is before it was dealt with when it began.
  if (last.start.hash === GENESIS.hash || previous === undefined) {
    return undefined;
  }
  if (last.header.previous?.segment !== numbers.at(-2)) {
    return endOf(previous, 'the next segment is missing');
  }
  return isContinued(last, previous) ? undefined : endOf(previous, 'a record of a closed segment is damaged');
}

function knownOf(
  number: number,
  chain: readonly LoadedSegment[],
  broken: BrokenChain | undefined,
): { readonly sizeBytes?: number | undefined; readonly isWhole?: boolean | undefined } {
  const loaded = chain.find((segment) => segment.number === number);
  if (loaded === undefined) {
    return {};
  }
  // What could not be gone on with stays as it is.
  return broken === undefined
    ? { sizeBytes: Math.min(loaded.limit, loaded.endOffset), isWhole: true }
    : { sizeBytes: loaded.limit };
}

/** The intents that the header of the first segment or an event left open. */
function openAfter(segments: readonly (LoadedSegment | undefined)[]): OpenIntent[] {
  const open = new Map<string, OpenIntent>();
  const loaded = segments.filter((segment) => segment !== undefined);
  for (const intent of loaded[0]?.header?.openIntents ?? []) {
    open.set(intent.id, intent);
  }
  for (const { opened } of loaded) {
    for (const intent of opened) {
      open.set(intent.id, intent);
    }
  }
  for (const { closed } of loaded) {
    for (const id of closed) {
      open.delete(id);
    }
  }
  return [...open.values()];
}

async function readIntents(disk: Disk, open: readonly OpenIntent[]): Promise<AuditIntentEvent[]> {
  const intents: AuditIntentEvent[] = [];
  for (const location of open) {
    const intent = await readIntent(disk.directory, disk.fileSystem, location);
    if (intent !== undefined) {
      intents.push(intent);
    } else {
      disk.logger.error({ ...location }, 'audit intent without an outcome cannot be read');
    }
  }
  return intents;
}

async function setAside({ directory, fileSystem, logger }: Disk, number: number): Promise<void> {
  const path = segmentPath(directory, number);
  await fileSystem.rename(path, `${path}.torn`);
  logger.warn({ path }, `audit ${HEADER_KIND} without records set aside`);
}

async function cutPrevious(
  disk: Disk,
  last: LoadedSegment | undefined,
  previous: LoadedSegment | undefined,
): Promise<void> {
  if (previous === undefined || last?.header?.previous?.segment !== previous.number) {
    return;
  }
  if (previous.limit < previous.bytes.length) {
    await settle(disk, previous, previous.limit);
  }
}

// Makes the good part durable (it may only be in the page cache after a kill) once the rest is set aside.
async function settle(
  { directory, fileSystem, logger }: Disk,
  { number, bytes }: LoadedSegment,
  sizeBytes: number,
): Promise<void> {
  const path = join(directory, segmentName(number));
  const torn = bytes.subarray(sizeBytes);
  if (torn.length > 0) {
    await withFile(fileSystem, `${path}.torn`, 'update', async (file) => {
      await file.write(torn, await file.size());
      await file.datasync();
    });
    logger.warn({ path, tornBytes: torn.length }, 'audit segment repaired');
  }
  await withFile(fileSystem, path, 'update', async (file) => {
    if (torn.length > 0) {
      await file.truncate(sizeBytes);
    }
    await file.datasync();
  });
}
