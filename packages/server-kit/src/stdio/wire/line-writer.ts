import type { Writable } from 'node:stream';

/** Writes bytes as a stream's own `write` does. */
export type Write = (chunk: Buffer, written: (error?: Error | null) => void) => boolean;

/** Who is told how the writing goes. */
export interface WriterListener {
  /** Nobody reads any more. */
  readonly onBroken: () => void;
  /** What waits to be read has become less than half of what may wait. */
  readonly onDrained: () => void;
}

/** The one way to a stream that carries one JSON message a line. */
export interface LineWriter {
  /** @throws {TypeError} for what JSON cannot carry. */
  readonly write: (message: unknown) => void;
  /** Whether more waits to be read than may. */
  readonly isFull: () => boolean;
  /** Resolves when everything was read by the other side, or after so many milliseconds. */
  readonly flushed: (timeoutMs: number) => Promise<void>;
}

/** Writes messages to `output` through `write`, and counts the bytes that nobody has read yet. */
export function writeLines(
  output: Writable,
  write: Write,
  maxQueuedBytes: number,
  { onBroken, onDrained }: WriterListener,
): LineWriter {
  let queuedBytes = 0;
  let isBroken = false;
  let waiting: (() => void)[] = [];

  function broken(): void {
    if (!isBroken) {
      isBroken = true;
      queuedBytes = 0;
      settle();
      onBroken();
    }
  }

  function settle(): void {
    for (const resolve of waiting) {
      resolve();
    }
    waiting = [];
  }

  // Never taken off again: a late failure of a write must not end the process.
  output.on('error', broken);
  output.on('close', broken);

  return {
    write(message) {
      const line = Buffer.from(`${JSON.stringify(message)}\n`);
      if (isBroken) {
        return;
      }
      queuedBytes += line.length;
      write(line, (error) => {
        if (error) {
          broken();
        }
        if (isBroken) {
          return;
        }
        const wasFull = queuedBytes > maxQueuedBytes / 2;
        queuedBytes -= line.length;
        if (queuedBytes === 0) {
          settle();
        }
        if (wasFull && queuedBytes <= maxQueuedBytes / 2) {
          onDrained();
        }
      });
    },
    isFull: () => queuedBytes > maxQueuedBytes,
    async flushed(timeoutMs) {
      if (queuedBytes === 0) {
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}
