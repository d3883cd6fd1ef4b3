import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

/** A body without its codings; `too_large` when it would exceed the limit, however small it came. */
export type DecodedBody =
  | { readonly kind: 'decoded'; readonly body: Buffer }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'unreadable'; readonly error: ContentCodingError };

/** Why a body could not be decoded; the message names the coding. */
export class ContentCodingError extends Error {
  override readonly name = 'ContentCodingError';
}

/**
 * Decodes a body that was compressed although `identity` was asked for: gzip, deflate in both its forms, br, zstd, and
 * lists of them, whose last was applied last (RFC 9110 §8.4). Every step is held to `maxBytes`.
 */
export async function decodeBody(body: Buffer, codings: string, maxBytes: number): Promise<DecodedBody> {
  const names = codings
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > MAX_CODINGS) {
    return unreadable(`the response has ${names.length} content codings`);
  }
  let decoded = body;
  for (const name of names.toReversed()) {
    const decompress = DECODERS[name];
    if (decompress === undefined) {
      return unreadable(`the content coding ${JSON.stringify(name.slice(0, 30))} is not known`);
    }
    try {
      decoded = await run(decompress(decoded), decoded, maxBytes);
    } catch (cause) {
      const isTooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
      return isTooLarge ? { kind: 'too_large' } : unreadable(`the response is not ${name}`, cause);
    }
  }
  return { kind: 'decoded', body: decoded };
}

/** Nobody has a reason for more, and each may be a bomb. */
const MAX_CODINGS = 4;

function unreadable(message: string, cause?: unknown): DecodedBody {
  return { kind: 'unreadable', error: new ContentCodingError(message, { cause }) };
}

function run(decompress: Decompress, body: Buffer, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // zlib stops as soon as the limit is passed: the rest of a bomb never gets into memory.
    decompress(body, { maxOutputLength: maxBytes }, (error, decoded) =>
      error === null ? resolve(decoded) : reject(error),
    );
  });
}

type Decompress = (
  body: Buffer,
  options: { maxOutputLength: number },
  callback: (error: Error | null, decoded: Buffer) => void,
) => void;

// RFC 9110 §8.4.1, RFC 8878
const DECODERS: Readonly<Record<string, (body: Buffer) => Decompress>> = {
  __proto__: null as never,
  gzip: () => gunzip,
  'x-gzip': () => gunzip,
  deflate: (body) => (hasZlibHeader(body) ? inflate : inflateRaw),
  br: () => brotliDecompress,
  zstd: () => zstdDecompress,
};

/** RFC 9110 means zlib by `deflate`; some servers send what zlib wraps (RFC 1950 §2.2 has the two bytes). */
function hasZlibHeader(body: Buffer): boolean {
  const [method = 0, flags = 0] = body;
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
}
