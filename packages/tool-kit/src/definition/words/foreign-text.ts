import { z } from 'zod';

import { visibleText } from '../../visible-text.ts';

/**
 * A schema for words of another system, such as the description of an entry: on one line, without what nobody sees, and
 * cut to `maxLength` UTF-16 units. Whatever such words ask a model to do, they stay data; put them in {@link quoted}.
 */
export function foreignText(maxLength: number) {
  return z.string().transform((text) => {
    const line = visibleText(text).replaceAll(/\s+/gu, ' ').trim();
    return line.length <= maxLength
      ? line
      : `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`;
  });
}

/**
 * Words of another system between quotes that they cannot close, for a text that a model reads: it can tell them from
 * yours.
 */
export function quoted(text: string): string {
  return `"${visibleText(text).replaceAll('"', '”')}"`;
}
