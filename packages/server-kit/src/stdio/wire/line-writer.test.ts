import { Writable } from 'node:stream';

import { describe, expect, it, vi } from 'vitest';

import { writeLines } from './line-writer.ts';

/** An output whose reader takes a line when it is told to. */
function slowOutput() {
  const waiting: ((error?: Error | null) => void)[] = [];
  const output = new Writable();
  output.on('error', () => undefined);
  return {
    output,
    write: (_: Buffer, done: (error?: Error | null) => void) => {
      waiting.push(done);
      return true;
    },
    take: () => waiting.shift()?.(),
    fail: () => waiting.shift()?.(new Error('EPIPE')),
  };
}

describe('writeLines', () => {
  it('is full until half of what may wait was read', () => {
    const { output, write, take } = slowOutput();
    const listener = { onBroken: vi.fn<() => void>(), onDrained: vi.fn<() => void>() };
    const writer = writeLines(output, write, 100, listener);
    for (let index = 0; index < 4; index += 1) {
      writer.write('x'.repeat(30));
    }
    expect(writer.isFull()).toBe(true);
    take();
    take();
    expect(listener.onDrained).not.toHaveBeenCalled();
    take();
    expect(listener.onDrained).toHaveBeenCalledOnce();
    expect(writer.isFull()).toBe(false);
  });

  it('tells once that nobody reads, and then takes everything', async () => {
    const { output, write, fail } = slowOutput();
    const listener = { onBroken: vi.fn<() => void>(), onDrained: vi.fn<() => void>() };
    const writer = writeLines(output, write, 100, listener);
    writer.write('one');
    fail();
    writer.write('two');
    output.destroy(new Error('EPIPE'));
    expect(listener.onBroken).toHaveBeenCalledOnce();
    await writer.flushed(60_000);
  });

  it('waits for the reader no longer than it is told', async () => {
    const { output, write } = slowOutput();
    const listener = { onBroken: () => undefined, onDrained: () => undefined };
    const writer = writeLines(output, write, 100, listener);
    writer.write('one');
    await expect(writer.flushed(1)).resolves.toBeUndefined();
  });
});
