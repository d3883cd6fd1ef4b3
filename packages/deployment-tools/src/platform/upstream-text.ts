import { z } from 'zod';

/** An upstream's words on one line, without control and invisible characters, cut to `maxLength` characters. */
export function upstreamText(maxLength: number) {
  return z.string().transform((text) => {
    const line = text.replaceAll(UNSAFE, ' ').replaceAll(/\s+/gu, ' ').trim();
    return line.length <= maxLength
      ? line
      : `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`;
  });
}

// Control, format (bidi, zero-width, tags), surrogate, private and unassigned characters, and separators.
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
