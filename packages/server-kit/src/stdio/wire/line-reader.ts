import type { Readable } from 'node:stream';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = Buffer.alloc(0);
/** How far is read ahead of a pause: the end of the input shows only behind what was sent before it. */
const READ_AHEAD_BYTES = 1024 * 1024;

/** Who is told of what is read. */
export interface LineListener {
  /** One line without its end; never empty. */
  readonly onLine: (line: Buffer) => void;
  /** A line was longer than allowed and is skipped up to its end. */
  readonly onTooLong: () => void;
  /** The input has ended or failed. Lines that wait behind a pause may still follow. */
  readonly onEnd: () => void;
}

/** A stream that is read line by line. */
export interface LineReader {
  /** Hands out no further line until `resume`, not even one that has been read. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Reads nothing more and lets go of the stream. */
  readonly stop: () => void;
}

/**
 * Reads lines as they come. The last one needs no line break, a carriage return before it is left out, blank lines
 * are skipped, and no more than `maxLineBytes` of a line are kept.
 */
export function readLines(input: Readable, maxLineBytes: number, listener: LineListener): LineReader {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  /** Read, but not yet looked at. */
  let unread: Buffer = NOTHING;
  let isSkipping = false;
  let hasEnded = false;
  // The listener pauses and stops from within a line.
  const state = { isPaused: false, isStopped: false };

  function keep(piece: Buffer): void {
    if (isSkipping || piece.length === 0) {
      return;
    }
    if (keptBytes + piece.length > maxLineBytes) {
      isSkipping = true;
      kept = [];
      keptBytes = 0;
      listener.onTooLong();
      return;
    }
    kept.push(piece);
    keptBytes += piece.length;
  }

  function endLine(): void {
    const line = kept.length === 1 ? (kept[0] ?? NOTHING) : Buffer.concat(kept);
    const wasSkipped = isSkipping;
    kept = [];
    keptBytes = 0;
    isSkipping = false;
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (!wasSkipped && end > 0) {
      listener.onLine(line.subarray(0, end));
    }
  }

  function handOut(): void {
    while (!state.isPaused && !state.isStopped && unread.length > 0) {
      const end = unread.indexOf(NEWLINE);
      const piece = end === -1 ? unread : unread.subarray(0, end);
      unread = end === -1 ? NOTHING : unread.subarray(end + 1);
      keep(piece);
      if (end !== -1) {
        endLine();
      }
    }
    if (hasEnded && !state.isPaused && !state.isStopped && unread.length === 0) {
      endLine();
    }
  }

  function onData(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
    handOut();
    if (state.isPaused && unread.length > READ_AHEAD_BYTES) {
      input.pause();
    }
  }

  function onEnd(): void {
    if (!hasEnded && !state.isStopped) {
      hasEnded = true;
      handOut();
      listener.onEnd();
    }
  }

  input.on('data', onData);
  for (const event of ['end', 'close', 'error'] as const) {
    input.on(event, onEnd);
  }
  if (input.readableEnded || input.destroyed) {
    setImmediate(onEnd);
  }

  return {
    pause() {
      state.isPaused = true;
    },
    resume() {
      if (state.isPaused && !state.isStopped) {
        state.isPaused = false;
        handOut();
        if (!state.isPaused) {
          input.resume();
        }
      }
    },
    stop() {
      state.isStopped = true;
      unread = NOTHING;
      kept = [];
      input.off('data', onData);
      input.pause();
    },
  };
}
