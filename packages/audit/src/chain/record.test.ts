import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeRecord, encodeRecord, GENESIS, scanRecords, type ChainTip } from './record.ts';

function chainOf(payloads: readonly string[]): { bytes: Buffer; tip: ChainTip } {
  let tip = GENESIS;
  let text = '';
  for (const payload of payloads) {
    const encoded = encodeRecord(tip, 'event', payload);
    text += encoded.line;
    ({ tip } = encoded);
  }
  return { bytes: Buffer.from(text), tip };
}

const payload = fc
  .dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
  .map((value) => JSON.stringify(value));

describe('the record chain', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.array(payload), (payloads) => {
        const { bytes, tip } = chainOf(payloads);
        const records = [...scanRecords(bytes, GENESIS)];
        expect(records.map(({ record }) => record.payload.toString())).toEqual(payloads);
        expect(records.at(-1)?.record ?? GENESIS).toMatchObject({ ...tip });
      }),
    );
  });

  it('stops before a record in which any byte was changed', () => {
    const { bytes } = chainOf(['{"a":1}', '{"b":"é\ufffd"}', '{"c":3}']);
    const [, second] = [...scanRecords(bytes, GENESIS)];
    const start = bytes.indexOf(0x0a) + 1;
    for (let index = start; index < (second?.endOffset ?? 0); index += 1) {
      for (const mask of [0x01, 0x20, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes);
        damaged.writeUInt8(damaged.readUInt8(index) ^ mask, index);
        expect([...scanRecords(damaged, GENESIS)]).toHaveLength(1);
      }
    }
  });

  it('stops at a removed, repeated or moved record', () => {
    const [a = '', b = '', c = ''] = chainOf(['{"a":1}', '{"b":2}', '{"c":3}'])
      .bytes.toString()
      .split(/(?<=\n)/);
    const kept = (lines: string[]) => [...scanRecords(Buffer.from(lines.join('')), GENESIS)].length;
    expect([kept([a, c]), kept([a, a, b]), kept([a, c, b]), kept([b, c])]).toEqual([1, 1, 1, 0]);
  });

  it('verifies records of kinds it does not know', () => {
    const { line } = encodeRecord(GENESIS, 'checkpoint', '{"keyId":"k"}');
    expect(decodeRecord(Buffer.from(line.trimEnd()))).toMatchObject({ kind: 'checkpoint', sequence: 0 });
  });
});
