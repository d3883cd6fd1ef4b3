import { readFile, writeFile } from 'node:fs/promises';

import { CHECKPOINT_KIND, parseCheckpoint } from '../src/chain/checkpoint.ts';
import { encodeRecord, GENESIS, scanLines, type StoredRecord } from '../src/chain/record.ts';

/** What somebody who can write to a segment, but has no key, makes of it. */
export interface Forgery {
  /** Changes the text of a record. */
  readonly change?: ((payload: string) => string) | undefined;
  /** Which checkpoints stay, by their number. @default none */
  readonly keepsCheckpoint?: ((sequence: number) => boolean) | undefined;
  /** Whether the signature in the first record goes too. */
  readonly dropsOrigin?: boolean | undefined;
  /** How many records of the end are left out. */
  readonly cuts?: number | undefined;
  /** The first record of what is left. */
  readonly from?: number | undefined;
}

/** Rewrites a segment so that all its hashes are right again. */
export async function forge(path: string, forgery: Forgery): Promise<void> {
  const {
    change = (payload) => payload,
    keepsCheckpoint = () => false,
    dropsOrigin,
    cuts = 0,
    from = 0,
  } = forgery;
  const records = [...scanLines(await readFile(path))].flatMap(({ record }) => record ?? []);
  const kept = records.filter(
    (record) =>
      (record.kind !== CHECKPOINT_KIND || keepsCheckpoint(parseCheckpoint(record)?.sequence ?? 0)) &&
      (record.kind === 'segment' || record.sequence >= from),
  );
  const [header] = kept;
  let tip = from > 0 ? { ...GENESIS, sequence: from - 1 } : startOf(header);
  const lines: string[] = [];
  for (const record of kept.slice(0, kept.length - cuts)) {
    const text = record.payload.toString('utf8');
    const payload = record === header && dropsOrigin === true ? withoutOrigin(text) : change(text);
    const encoded = encodeRecord(tip, record.kind, payload, record.groupBytes);
    lines.push(encoded.line);
    ({ tip } = encoded);
  }
  await writeFile(path, lines.join(''));
}

function startOf(header: StoredRecord | undefined) {
  return header === undefined ? GENESIS : { sequence: header.sequence, hash: header.previousHash };
}

function withoutOrigin(text: string): string {
  const { origin: _, ...header } = JSON.parse(text) as { origin?: unknown };
  return JSON.stringify(header);
}
