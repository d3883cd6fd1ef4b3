import type { Logger } from '@mcp-parts/tool-kit';

import type { Write } from './wire/line-writer.ts';

/** What a process may have on its way to a standard error that nobody reads. */
const MAX_STRAY_BYTES = 1024 * 1024;

/** Standard output, reserved for the protocol. */
export interface StdoutGuard {
  /** The only way to standard output while the guard stands. */
  readonly write: Write;
  /** Gives standard output back. */
  readonly release: () => void;
}

/**
 * Keeps everything but the protocol off standard output: a `console.log`, or a library's own write, would
 * end the session of a client that expects nothing but JSON-RPC. Stray text goes to standard error.
 */
export function guardStdout(logger: Logger, { stdout, stderr } = process): StdoutGuard {
  const write = stdout.write.bind(stdout);
  // A client may close its end of standard error; that ends nothing.
  stderr.on('error', ignore);

  function redirect(chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean {
    logger.warn(
      { bytes: chunk.length },
      'stray output: standard output belongs to the protocol, so this was moved to standard error',
    );
    if (stderr.writableLength < MAX_STRAY_BYTES) {
      stderr.write(chunk);
    }
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') {
      process.nextTick(done);
    }
    return true;
  }
  stdout.write = redirect;

  return {
    write,
    release() {
      stdout.write = write;
    },
  };
}

function ignore(): void {
  // There is nowhere left to report it.
}
