import { assert, describe, expect, it } from 'vitest';

import { intent as intentOf } from '../../test/fixtures.ts';
import { memoryDisk } from '../../test/memory-disk.ts';
import {
  decodeRecord,
  encodeRecord,
  EVENT_KIND,
  GENESIS,
  scanLines,
  type StoredRecord,
} from '../chain/record.ts';
import {
  describe as describeIntent,
  encodeIntent,
  encodeOutcome,
  eventPayload,
  type EncodedEvent,
} from '../event/encode.ts';
import { RecordGroup } from './record-group.ts';
import { parseHeader, segmentName, segmentNumbers, segmentPath } from './segment-header.ts';
import { parseEvent, parseEventHead, readIntent } from './stored-event.ts';

const DIRECTORY = '/trail';
const source = {
  writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
  server: { name: 'server', version: '1.0.0' },
};

function call(given: object = {}): { intent: EncodedEvent; outcome: EncodedEvent } {
  const input = intentOf(given);
  const description = describeIntent(source, input);
  const intent = encodeIntent(description, input, 1000);
  return { intent, outcome: encodeOutcome(description, intent.id, { result: 'success' }, 2000) };
}

function record(payload: string, kind = EVENT_KIND): StoredRecord {
  const { line } = encodeRecord(GENESIS, kind, payload);
  const decoded = decodeRecord(Buffer.from(line.trimEnd()));
  assert(decoded);
  return decoded;
}

describe('the head of a stored event', () => {
  it('is what the whole event says', () => {
    const { intent, outcome } = call({ target: '"stage":"outcome"' });
    expect(parseEventHead(record(eventPayload(intent, 1)))).toEqual({
      id: intent.id,
      time: intent.time,
      intentId: undefined,
    });
    expect(parseEventHead(record(eventPayload(outcome, 2)))).toEqual({
      id: outcome.id,
      time: outcome.time,
      intentId: intent.id,
    });
  });

  it('is found although another version wrote the members in another order', () => {
    const { outcome } = call();
    const { intentId, stage, ...rest } = parseEvent(record(eventPayload(outcome, 2))) as Record<
      string,
      unknown
    >;
    const payload = JSON.stringify({ future: 1, ...rest, intentId, stage });
    expect(parseEventHead(record(payload))).toEqual({
      id: outcome.id,
      time: outcome.time,
      intentId: outcome.intentId,
    });
  });
});

describe('a group of records', () => {
  it('says where its intents begin, so that each can be read alone', async () => {
    const disk = memoryDisk();
    const ended = call();
    const calls = [ended, call({ resource: 'x'.repeat(6000) }), call({ arguments: { a: 'é'.repeat(4000) } })];
    const group = new RecordGroup(GENESIS, { number: 3, sizeBytes: 0 });
    for (const { intent } of calls) {
      group.addEvent(intent);
    }
    group.addEvent(ended.outcome);
    const { bytes, tip, endOffset } = group.end();
    expect(endOffset).toBe(bytes.length);
    expect(tip.sequence).toBe(4);
    const marks = [...scanLines(bytes)].map(({ record }) => record?.groupBytes);
    expect(marks).toEqual([undefined, undefined, undefined, bytes.lastIndexOf(0x0a, -2) + 1]);
    expect(group.closed).toEqual([ended.intent.id]);
    disk.files.set(segmentPath(DIRECTORY, 3), { bytes, durable: bytes });
    for (const [index, opened] of group.opened.entries()) {
      expect((await readIntent(DIRECTORY, disk, opened))?.id).toBe(calls[index]?.intent.id);
    }
    const [first, second] = group.opened;
    assert(first && second);
    expect(await readIntent(DIRECTORY, disk, { ...first, offset: second.offset })).toBeUndefined();
    expect(await readIntent(DIRECTORY, disk, { ...first, offset: first.offset + 1 })).toBeUndefined();
    expect(await readIntent(DIRECTORY, disk, { ...first, segment: 4 })).toBeUndefined();
  });
});

describe('the name of a segment', () => {
  it('sorts as its number does, and is told from other files', () => {
    expect([1, 10, 4_294_967_296].map(segmentName)).toEqual([
      '0000000001.jsonl',
      '0000000010.jsonl',
      '4294967296.jsonl',
    ]);
    const names = [
      '0000000010.jsonl',
      '0000000009.jsonl',
      '0000000001.jsonl.torn',
      'quarantine-a.jsonl',
      'lock.db',
    ];
    expect(segmentNumbers(names)).toEqual([9, 10]);
  });
});

describe('a header', () => {
  it('is only what a header record holds', () => {
    const header = {
      version: 1,
      writerId: source.writerId,
      segment: 1,
      createdAt: '2026-01-02T03:04:05.678Z',
      openIntents: [],
      future: true,
    };
    expect(parseHeader(record(JSON.stringify(header), 'segment'))).toEqual(header);
    expect(parseHeader(record(JSON.stringify(header), 'checkpoint'))).toBeUndefined();
    expect(parseHeader(record(JSON.stringify({ ...header, version: 2 }), 'segment'))).toBeUndefined();
    expect(parseHeader(undefined)).toBeUndefined();
  });
});
