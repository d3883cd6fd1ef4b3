import { brotliDecompress, gunzip, inflate } from 'node:zlib';

/**
 * Decodes a body that was compressed although `identity` was asked for. Undefined when it would exceed `maxBytes`,
 * however small it came; the body as it is when its coding is unknown or broken, which its reader will notice.
 */
export function decodeBody(body: Buffer, coding: string, maxBytes: number): Promise<Buffer | undefined> {
  const decompress = DECODERS[coding.trim().toLowerCase()];
  if (decompress === undefined) {
    return Promise.resolve(body);
  }
  return new Promise((resolve) => {
    // zlib stops as soon as the limit is passed: the rest of a bomb never gets into memory.
    decompress(body, { maxOutputLength: maxBytes }, (error, decoded) => {
      if (error === null) {
        resolve(decoded);
      } else {
        resolve(error.code === 'ERR_BUFFER_TOO_LARGE' ? undefined : body);
      }
    });
  });
}

type Decompress = (
  body: Buffer,
  options: { maxOutputLength: number },
  callback: (error: NodeJS.ErrnoException | null, decoded: Buffer) => void,
) => void;

// RFC 9110 §8.4.1
const DECODERS: Readonly<Record<string, Decompress>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: inflate,
  br: brotliDecompress,
};
