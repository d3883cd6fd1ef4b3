import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createMessageFrames } from './message-frames.ts';

/** A message of this length, with the length spelt in so many more bytes (X.690 allows more than are needed). */
function message(length: number, lengthBytes: number): Buffer {
  const content = Buffer.alloc(length, 0x30);
  if (lengthBytes === 0 && length < 0x80) {
    return Buffer.concat([Buffer.of(0x30, length), content]);
  }
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  const used = Math.max(lengthBytes, length > 0xff ? 2 : 1);
  return Buffer.concat([Buffer.of(0x30, 0x80 | used), bytes.subarray(4 - used), content]);
}

describe('createMessageFrames', () => {
  it('gives the same messages however they are cut', () => {
    const messages = fc.array(
      fc.record({ length: fc.integer({ min: 0, max: 700 }), lengthBytes: fc.integer({ min: 0, max: 4 }) }),
      { minLength: 1, maxLength: 8 },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
    fc.assert(
      fc.property(messages, cuts, (shapes, sizes) => {
        const sent = shapes.map(({ length, lengthBytes }) => message(length, lengthBytes));
        const stream = Buffer.concat(sent);
        const frames = createMessageFrames();
        const received: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          received.push(...frames.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(received).toEqual(sent);
      }),
    );
  });

  it.each([
    ['another protocol', Buffer.from('HTTP/1.1 400')],
    ['an indefinite length', Buffer.of(0x30, 0x80, 0, 0)],
    ['a length of five bytes', Buffer.of(0x30, 0x85, 0, 0, 0, 0, 1)],
    ['a message of a gigabyte', Buffer.of(0x30, 0x84, 0x40, 0, 0, 0)],
  ])('takes no part of %s', (_, bytes) => {
    expect(() => createMessageFrames().push(bytes)).toThrow('the directory server sends');
  });
});
