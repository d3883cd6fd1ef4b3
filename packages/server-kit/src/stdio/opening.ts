import type { Readable } from 'node:stream';

/** The protocol era that a connection opens with. */
type Era = '2025' | '2026';

/** How a connection opens: its era, and all that was read to find out. `undefined`: the client said nothing. */
export type Opening = { readonly era: Era; readonly read: Buffer } | undefined;

const NEWLINE = 0x0a;
// The 2.x SDK's own limit for one message.
const MAX_OPENING_BYTES = 10 * 1024 * 1024;

/**
 * Reads up to the first line that is JSON and decides the era from it. A line that is no JSON goes to
 * `onGarbage` and is skipped. The rest of `input` stays unread.
 *
 * @throws {RangeError} when the first message is larger than 10 MiB.
 */
export async function readOpening(input: Readable, onGarbage: () => void): Promise<Opening> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of readChunks(input)) {
    pending = Buffer.concat([pending, chunk]);
    for (let end = pending.indexOf(NEWLINE); end !== -1; end = pending.indexOf(NEWLINE)) {
      const line = pending.subarray(0, end).toString('utf8').trim();
      if (line !== '') {
        const message = parseJson(line);
        if (message !== undefined) {
          return { era: eraOf(message), read: pending };
        }
        onGarbage();
      }
      pending = pending.subarray(end + 1);
    }
    if (pending.length > MAX_OPENING_BYTES) {
      throw new RangeError('the first message is larger than 10 MiB');
    }
  }
  return undefined;
}

/** 2026-07-28 puts the protocol version into every request's `_meta`; the 2025 revisions never do. */
function eraOf(message: unknown): Era {
  const params = member(message, 'params');
  const meta = member(params, '_meta');
  return member(meta, 'io.modelcontextprotocol/protocolVersion') === undefined ? '2025' : '2026';
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Chunks of a stream that is left open and paused when the reader stops early. */
async function* readChunks(input: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
  }
}
