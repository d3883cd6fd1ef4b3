import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readLines } from './line-reader.ts';

/** What is read of these chunks, in order. */
async function readAll(chunks: readonly Uint8Array[], maxLineBytes = 1024): Promise<string[]> {
  const input = new PassThrough();
  const read: string[] = [];
  const ended = Promise.withResolvers<void>();
  readLines(input, maxLineBytes, {
    onLine: (line) => read.push(line.toString()),
    onTooLong: () => read.push('(too long)'),
    onEnd: ended.resolve,
  });
  for (const chunk of chunks) {
    input.write(chunk);
  }
  input.end();
  await ended.promise;
  return read;
}

describe('readLines', () => {
  it('reads the same lines however the bytes are cut', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\r\n]/u.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.infiniteStream(fc.nat(9)), async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length;) {
          const length = 1 + (cuts.next().value ?? 0);
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(await readAll(chunks)).toEqual(lines);
      }),
      { numRuns: 50 },
    );
  });

  it('takes CRLF for a line end, skips empty lines, and reads a last line without an end', async () => {
    expect(await readAll([Buffer.from('one\r\n\n\r\ntwo\nthree')])).toEqual(['one', 'two', 'three']);
  });

  it('skips a line that is too long, says so once, and goes on', async () => {
    const long = Buffer.alloc(300, 'x');
    expect(await readAll([long, long, long, Buffer.from('\nshort\n')], 500)).toEqual(['(too long)', 'short']);
    expect(await readAll([Buffer.alloc(500, 'x')], 500)).toEqual(['x'.repeat(500)]);
  });

  it('hands out nothing while it is paused, and sees the end of the input all the same', async () => {
    const input = new PassThrough();
    const read: string[] = [];
    const ended = Promise.withResolvers<void>();
    const reader = readLines(input, 1024, {
      onLine(line) {
        read.push(line.toString());
        reader.pause();
      },
      onTooLong: () => undefined,
      onEnd: ended.resolve,
    });
    input.end('one\ntwo\nthree');
    await ended.promise;
    expect(read).toEqual(['one']);
    reader.resume();
    reader.resume();
    expect(read).toEqual(['one', 'two', 'three']);
  });

  it('stops reading a stream whose lines nobody takes', async () => {
    const input = new PassThrough();
    const reader = readLines(input, 1024, {
      onLine: () => reader.pause(),
      onTooLong: () => undefined,
      onEnd: () => undefined,
    });
    const line = Buffer.alloc(65_536, 'x\n');
    let written = 0;
    while (written < 200 && input.write(line)) {
      written += 1;
      await setImmediate();
    }
    expect(written).toBeLessThan(100);
    expect(input.isPaused()).toBe(true);
  });

  it('ends with an input that is closed or fails', async () => {
    for (const error of [undefined, new Error('gone')]) {
      const input = new PassThrough();
      const ended = Promise.withResolvers<void>();
      readLines(input, 1024, { onLine: () => undefined, onTooLong: () => undefined, onEnd: ended.resolve });
      input.destroy(error);
      await expect(ended.promise).resolves.toBeUndefined();
    }
  });
});
