import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { describe, expect, it, vi } from 'vitest';

import { readOpening } from './opening.ts';

const initialize =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}\n';
const discover =
  '{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}\n';

describe('readOpening', () => {
  it.each([
    ['2025', initialize],
    ['2026', discover],
  ])('takes the %s era from the first line', async (era, line) => {
    const opening = await readOpening(Readable.from([Buffer.from(line)]), vi.fn<() => void>());
    expect(opening).toEqual({ era, read: Buffer.from(line) });
  });

  it('waits for the end of a line that comes in pieces, and splits no character', async () => {
    const bytes = Buffer.from('{"method":"initialize","params":{"clientInfo":{"name":"Zoë"}}}\n');
    const pieces = [...bytes].map((byte) => Buffer.from([byte]));
    const opening = await readOpening(Readable.from(pieces), vi.fn<() => void>());
    expect(opening?.read.equals(bytes)).toBe(true);
  });

  it('skips lines that are no JSON, reports each, and leaves out blank ones', async () => {
    const onGarbage = vi.fn<() => void>();
    const input = Readable.from([Buffer.from(`garbage\n\n{"half":\n${initialize}`)]);
    const opening = await readOpening(input, onGarbage);
    expect(onGarbage).toHaveBeenCalledTimes(2);
    expect(opening?.read.toString()).toBe(initialize);
  });

  it('hands back what came after the first line and leaves the rest in the stream', async () => {
    const input = Readable.from([Buffer.from(`${initialize}second\n`), Buffer.from('third\n')]);
    const opening = await readOpening(input, vi.fn<() => void>());
    expect(opening?.read.toString()).toBe(`${initialize}second\n`);
    expect(await text(input)).toBe('third\n');
  });

  it('is undefined when the client leaves without a word', async () => {
    expect(await readOpening(Readable.from([]), vi.fn<() => void>())).toBeUndefined();
  });

  it('refuses a first message of more than 10 MiB', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    await expect(readOpening(Readable.from(Array(11).fill(megabyte)), vi.fn<() => void>())).rejects.toThrow(
      RangeError,
    );
  });
});
