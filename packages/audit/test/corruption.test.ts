import { describe, expect, it } from 'vitest';

import { EVENT_KIND, scanLines } from '../src/chain/record.ts';
import { openAuditTrail } from '../src/index.ts';
import { parseEventHead } from '../src/segments/stored-event.ts';
import { intent, options, temporaryDirectory } from './fixtures.ts';
import { memoryDisk, segmentsOn, type MemoryDisk } from './memory-disk.ts';

const CASES = 4000;

/** Returns the bytes as a failing disk or a meddler leaves them, and whether a crash can do that to a file's end. */
const MUTATIONS: Record<
  string,
  (bytes: Buffer, at: number, random: () => number) => { bytes: Buffer; canBeCrash: boolean }
> = {
  'bit flip': (bytes, at, random) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
    return { bytes: changed, canBeCrash: false };
  },
  truncation: (bytes, at) => ({ bytes: bytes.subarray(0, at), canBeCrash: true }),
  'zeros to the end': (bytes, at) => ({ bytes: Buffer.from(bytes).fill(0, at), canBeCrash: true }),
  'zeros in between': (bytes, at) => ({
    bytes: Buffer.from(bytes).fill(0, at, Math.min(at + 64, bytes.length)),
    // Of the last commit the disk may have kept any part.
    canBeCrash: at >= lastCommit(bytes) || at + 64 >= bytes.length,
  }),
  'repeated end': (bytes, at) => ({
    bytes: Buffer.concat([bytes, bytes.subarray(at)]),
    // Half a line at the end is what an interrupted write leaves.
    canBeCrash: !bytes.subarray(at, -1).includes(0x0a),
  }),
  'removed bytes': (bytes, at) => ({
    bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 32)]),
    canBeCrash: at + 32 >= bytes.length,
  }),
};

async function writtenTrail(directory: string): Promise<MemoryDisk> {
  const disk = memoryDisk();
  for (let run = 0; run < 2; run += 1) {
    await using trail = await openAuditTrail({ ...options(directory), fileSystem: disk });
    for (let call = 0; call < 3; call += 1) {
      const entry = await trail.begin(intent({ correlationId: `${run}-${call}` }));
      await entry.finish({ result: 'success', durationMs: 1 });
    }
  }
  return disk;
}

/** Repeats the same cases in every run. */
function sequenceOfRandoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('recovery from corruption', () => {
  it(`is right in ${CASES} cases`, { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory();
    const written = await writtenTrail(directory.path);
    const segments = segmentsOn(written, directory.path);
    const random = sequenceOfRandoms(20_261_122);
    const wrong: string[] = [];
    for (let index = 0; index < CASES; index += 1) {
      const disk = written.copy();
      const isLast = random() < 0.6;
      const [path, content] = segments.at(isLast ? -1 : -2) ?? ['', { bytes: Buffer.alloc(0) }];
      const names = Object.keys(MUTATIONS);
      const name = names[index % names.length] ?? '';
      const at = Math.floor(random() * content.bytes.length);
      const mutation = MUTATIONS[name]?.(content.bytes, at, random);
      if (mutation === undefined) {
        throw new Error(name);
      }
      const { bytes } = mutation;
      disk.files.set(path, { bytes, durable: bytes });

      const trail = await openAuditTrail({ ...options(directory.path), fileSystem: disk });
      const isAlerted = trail.health().lastError?.code === 'damaged';
      await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
      await trail.close();
      const isTold = isAlerted || bytes.equals(content.bytes);
      const canBeCrash = isLast && mutation.canBeCrash;
      const problem = judge(disk, { path, isTold, isOneBit: name === 'bit flip', canBeCrash });
      if (problem !== undefined) {
        wrong.push(`${name} at ${at} of ${path}: ${problem}`);
      }
    }
    expect(wrong).toEqual([]);

    function judge(
      disk: MemoryDisk,
      change: { path: string; isTold: boolean; isOneBit: boolean; canBeCrash: boolean },
    ): string | undefined {
      if (change.isOneBit && !change.isTold) {
        return 'nobody was told';
      }
      const mayLose = change.isTold || change.canBeCrash;
      const after = segmentsOn(disk, directory.path);
      const kept = new Map(after.flatMap(([, { bytes }]) => [...eventLines(bytes)]));
      for (const [path, { bytes }] of segments) {
        for (const [id, line] of eventLines(bytes)) {
          if (kept.get(id) !== line && !(mayLose && path === change.path)) {
            return `event ${id} is gone`;
          }
        }
      }
      const written = after.filter(([path]) => !segments.some(([known]) => known === path));
      const numbers = written.flatMap(([, { bytes }]) => [...eventLines(bytes).values()].map(numberOf));
      const taken = new Set([...kept.values()].map(numberOf));
      if (numbers.length < 2) {
        return 'nothing could be written afterwards';
      }
      return taken.size === kept.size ? undefined : 'a number was used twice';
    }
  });
});

/** Where the last commit of a segment begins. */
function lastCommit(bytes: Buffer): number {
  const marked = [...scanLines(bytes)].findLast(({ record }) => record?.groupBytes !== undefined);
  return marked === undefined ? 0 : marked.offset - (marked.record?.groupBytes ?? 0);
}

/** The lines of a segment that hold an event, by its id. */
function eventLines(bytes: Buffer): Map<string, string> {
  const lines = new Map<string, string>();
  for (const { record, offset, endOffset } of scanLines(bytes)) {
    if (record?.kind === EVENT_KIND) {
      lines.set(parseEventHead(record).id, bytes.toString('utf8', offset, endOffset));
    }
  }
  return lines;
}

function numberOf(line: string): string | undefined {
  return /^\{"seq":(\d+)/.exec(line)?.[1];
}
