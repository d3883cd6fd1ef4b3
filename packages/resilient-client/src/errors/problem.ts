import { parseJson } from '../http/json-text.ts';

/**
 * An RFC 9457 problem document as the upstream sent it: untrusted text, for logs and for decisions, not for a model.
 * {@link ClientError.publicMessage} quotes the cleaned `detail`.
 */
export interface Problem {
  readonly type?: string | undefined;
  readonly title?: string | undefined;
  readonly detail?: string | undefined;
  readonly [extension: string]: unknown;
}

/** Reads a problem document, or undefined when the body is something else. */
export function parseProblem(contentType: string, body: Buffer): Problem | undefined {
  if (!/^application\/(problem\+)?json\b/i.test(contentType)) {
    return undefined;
  }
  let value: unknown;
  try {
    value = parseJson(body);
  } catch {
    // An unreadable error body must not hide the status that came with it.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return undefined;
  }
  const { type, title, detail, ...extensions } = value as Record<string, unknown>;
  return {
    ...extensions,
    ...(typeof type === 'string' && { type }),
    ...(typeof title === 'string' && { title }),
    ...(typeof detail === 'string' && { detail }),
  };
}

/** One line of an upstream's text that is safe to quote: no control, bidi or invisible characters, no links, at most 200. */
export function cleanText(text: string): string {
  const oneLine = text
    .replaceAll(UNSAFE_CHARACTERS, ' ')
    .replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '[link]')
    .replaceAll(/["\u201C\u201D\u201E\u00AB\u00BB]/g, "'")
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (oneLine.length <= MAX_QUOTE_LENGTH) {
    return oneLine;
  }
  return `${oneLine
    .slice(0, MAX_QUOTE_LENGTH - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`;
}

const MAX_QUOTE_LENGTH = 200;

// Control, format (bidi, zero-width, tags), surrogate, private and unassigned characters, line separators, and
// variation selectors, which can carry hidden text.
const UNSAFE_CHARACTERS = /[\p{C}\p{Zl}\p{Zp}\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/gu;
