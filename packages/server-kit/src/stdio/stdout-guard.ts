import { Writable } from 'node:stream';

import type { Logger } from '@mcp-parts/tool-kit';

/** Standard output, reserved for the protocol. */
export interface StdoutGuard {
  /** The only way to standard output while the guard stands. */
  readonly protocol: Writable;
  /** Gives standard output back. */
  readonly release: () => void;
}

/**
 * Keeps everything but the protocol off standard output: a `console.log`, or a library's own write, would
 * end the session of a client that expects nothing but JSON-RPC. Stray text goes to standard error.
 */
export function guardStdout(logger: Logger, stdout: NodeJS.WriteStream = process.stdout): StdoutGuard {
  const write = stdout.write.bind(stdout);

  function redirect(chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean {
    logger.warn(
      { bytes: chunk.length },
      'stray output: standard output belongs to the protocol, so this was moved to standard error',
    );
    process.stderr.write(chunk);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') {
      process.nextTick(done);
    }
    return true;
  }
  stdout.write = redirect;

  return {
    protocol: new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, encoding, callback) {
        write(chunk, encoding, callback);
      },
    }),
    release() {
      stdout.write = write;
    },
  };
}
