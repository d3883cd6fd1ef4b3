import { fstatSync, writeSync } from 'node:fs';
import { Socket as NetSocket } from 'node:net';

const STDERR = 2;
/** What is kept while nobody reads: about four thousand lines. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const RETRY_MS = 20;
/** How long a process that exits waits for a reader that is merely slow, in milliseconds. */
const EXIT_PATIENCE_MS = 200;
const EXIT_RETRY_MS = 5;

/** Where lines go, one `write` a line. */
export interface LineWriter {
  readonly write: (line: string) => void;
}

/**
 * Standard error, where it is a pipe or a socket. A line is out when `write` returns, so that one logged before a crash is
 * not lost. A reader that does not read never stops the program: 1 MiB is kept, further lines are dropped and counted, and the
 * count is written as a line of its own once the pipe drains. `undefined` for files and terminals, and on Windows, where
 * a pipe cannot be told not to block.
 */
export function openStderrPipe(): LineWriter | undefined {
  return process.platform !== 'win32' && isPipe() ? openPipe() : undefined;
}

function isPipe(): boolean {
  try {
    const stderr = fstatSync(STDERR);
    return stderr.isFIFO() || stderr.isSocket();
  } catch {
    // Started with standard error closed.
    return false;
  }
}

function openPipe(): LineWriter {
  let isOpen = false;
  let queue: Buffer[] = [];
  let queuedBytes = 0;
  let dropped = 0;
  let retry: NodeJS.Timeout | undefined;

  /** Writes what the pipe takes, and says whether that was all. */
  const drain = (): boolean => {
    while (queue.length > 0) {
      const [chunk = Buffer.alloc(0)] = queue;
      const written = writeSome(chunk);
      queuedBytes -= written;
      if (written < chunk.byteLength) {
        queue[0] = chunk.subarray(written);
        return false;
      }
      queue.shift();
      if (queue.length === 0 && dropped > 0) {
        add(droppedLine(dropped));
        dropped = 0;
      }
    }
    return true;
  };
  const add = (line: Buffer) => {
    queue.push(line);
    queuedBytes += line.byteLength;
  };
  const retryLater = () => {
    if (retry !== undefined) {
      return;
    }
    // Only while something waits: a program may have many loggers.
    process.once('exit', drainBeforeExit);
    retry = setTimeout(() => {
      retry = undefined;
      process.off('exit', drainBeforeExit);
      if (!drain()) {
        retryLater();
      }
    }, RETRY_MS).unref();
  };
  const drainBeforeExit = () => {
    const until = performance.now() + EXIT_PATIENCE_MS;
    while (!drain() && performance.now() < until) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EXIT_RETRY_MS);
    }
    queue = [];
  };

  return {
    write(text) {
      if (!isOpen) {
        isOpen = true;
        makeNonBlocking();
      }
      const line = Buffer.from(text);
      if (queuedBytes + line.byteLength > MAX_BUFFERED_BYTES) {
        dropped += 1;
        return;
      }
      add(line);
      if (queue.length > 1 || !drain()) {
        retryLater();
      }
    },
  };
}

function makeNonBlocking(): void {
  // Opening a pipe as a socket does it, which Node has no other way to ask for. Nothing is written through the socket: its
  // writes would not be out when the process exits.
  const socket = new NetSocket({ fd: STDERR, readable: false, writable: true });
  socket.on('error', () => {}).unref();
}

/** How many bytes the pipe took. One whose reader is gone takes everything. */
function writeSome(chunk: Buffer): number {
  try {
    return writeSync(STDERR, chunk);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 0 : chunk.byteLength;
  }
}

function droppedLine(count: number): Buffer {
  const record = {
    level: 'warn',
    time: new Date().toISOString(),
    pid: process.pid,
    droppedLines: count,
    msg: 'log lines were dropped: nobody read standard error',
  };
  return Buffer.from(`${JSON.stringify(record)}\n`);
}
