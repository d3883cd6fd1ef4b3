import { isCheckpointSigned, parseCheckpoint, type AuditCheckpoint } from '../chain/checkpoint.ts';
import { Coverage } from '../chain/coverage.ts';
import { GENESIS, scanLines, type ChainTip, type StoredRecord } from '../chain/record.ts';
import type { PublicKeys } from '../chain/signer.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import { isOrigin, segmentPath, type SegmentHeader } from './segment-header.ts';
import type { LoadedSegment } from './segment-reader.ts';

/** How far a sink got: proof that the chain once reached this record. */
export interface Delivered extends ChainTip {
  readonly writerId: string;
  readonly segment: number;
  readonly offset: number;
}

/** What signatures and sinks say of the end of a chain. */
interface Examined {
  /** Why it is not what was written. */
  readonly forgery: string | undefined;
  readonly coveredSequence: number;
  readonly lastTime: number | undefined;
}

/**
 * Compares the last segments of a chain with the signatures in them, and with what the sinks were given: links alone
 * can be made by anybody.
 */
export async function examineEvidence(
  disk: { readonly directory: string; readonly fileSystem: AuditFileSystem },
  chain: readonly LoadedSegment[],
  options: {
    readonly keys: PublicKeys;
    readonly delivered: readonly Delivered[];
    readonly anchors: readonly AuditCheckpoint[];
    readonly writerId: string;
  },
): Promise<Examined> {
  const { keys, delivered, anchors, writerId } = options;
  const [first] = chain;
  if (first === undefined) {
    return { forgery: undefined, coveredSequence: 0, lastTime: undefined };
  }
  const coverage = new Coverage(first.start, keys);
  let forgery: string | undefined;
  let lastTime: number | undefined;
  for (const { record, time, header } of chain.flatMap(({ linked }) => linked)) {
    const isSigned = header && isOrigin(record, header, keys);
    if (isSigned === false) {
      forgery ??= 'the beginning of the chain was not signed for it';
    }
    if (!coverage.add(record, { time, cadence: header?.cadence, isOrigin: isSigned === true })) {
      forgery ??= `the checkpoint at record ${record.sequence} was not signed for this chain`;
    }
    lastTime = time ?? timeOf(record, header) ?? lastTime;
  }
  // Seen as of its last record: for how long nobody wrote says nothing.
  if (coverage.isOverdue(lastTime ?? -Infinity)) {
    forgery ??= `${coverage.uncoveredEvents} events have no signature`;
  }
  for (const anchor of anchors) {
    if (!isCheckpointSigned(anchor, keys) || !isAnchoredIn(chain, anchor)) {
      forgery ??= `the anchor at record ${anchor.sequence} does not fit`;
    }
  }
  for (const mark of delivered.filter((mark) => mark.writerId === writerId)) {
    if (!(await isInChain(disk, chain, mark))) {
      forgery ??= `record ${mark.sequence} is not the one that was delivered`;
    }
  }
  return { forgery, coveredSequence: coverage.coveredSequence, lastTime };
}

// One from before the records looked at is vouched for by the signatures since.
function isAnchoredIn(chain: readonly LoadedSegment[], { sequence, hash }: AuditCheckpoint): boolean {
  const start = chain[0]?.start ?? GENESIS;
  return (
    sequence < start.sequence ||
    (sequence === start.sequence && start.hash === GENESIS.hash) ||
    hash === start.hash ||
    chain.some(({ linked }) => linked.some(({ record }) => record.hash === hash))
  );
}

// A run without calls leaves no other time.
function timeOf(record: StoredRecord, header: SegmentHeader | undefined): number | undefined {
  const time = header?.createdAt ?? parseCheckpoint(record)?.time;
  return time === undefined ? undefined : Date.parse(time);
}

async function isInChain(
  { directory, fileSystem }: { readonly directory: string; readonly fileSystem: AuditFileSystem },
  chain: readonly LoadedSegment[],
  { segment, offset, hash }: Delivered,
): Promise<boolean> {
  // What went before a chain that broke was dealt with when it did.
  const chainStart = chain.at(-1)?.header?.chainStart ?? chain[0]?.number ?? 0;
  if (offset === 0 || hash === GENESIS.hash || segment < chainStart) {
    return true;
  }
  const loaded = chain.find(({ number }) => number === segment);
  if (loaded !== undefined) {
    return loaded.linked.some(({ record }) => record.hash === hash);
  }
  try {
    const bytes = await withFile(fileSystem, segmentPath(directory, segment), 'read', (file) =>
      file.read(0, offset),
    );
    const lines = [...scanLines(bytes)];
    // A damaged line was passed over, and is a finding by itself.
    return lines.some(({ record }) => record === undefined || record.hash === hash);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return true;
    }
    throw error;
  }
}
