import { MASK, redactText } from './redact-text.ts';
import { isCount, isSecretName } from './secret-names.ts';
import { nextSecretWord } from './secret-shapes.ts';

/** Whether a value, beside another or in a list of pairs, names a secret. */
export function isSecretHeader(name: unknown): boolean {
  return typeof name === 'string' && name.length < 100 && !/\s/u.test(name) && isSecretName(name);
}

/** The text of a JSON object, or of what follows its first members, and what is known about it. */
export interface SuspectText {
  readonly text: string;
  readonly lower: string;
  readonly isWhole: boolean;
  /** Where the first word is that stands beside secrets; -1 for nowhere. */
  readonly firstWord: number;
  /** Whether there is something with the shape of a secret, wherever. */
  readonly hasShape: boolean;
}

/**
 * Masks the secrets of one JSON object in its text: reading it into values and writing it again costs more than pino
 * itself. Only names and strings with a suspect word in them are looked at. Undefined for what only the values can tell
 * (pairs of names and values, bytes, names that hold a secret themselves), and for anything that pino does not write.
 */
export function redactTokens(suspect: SuspectText): string | undefined {
  const { text, lower, isWhole, hasShape } = suspect;
  if (text.length !== lower.length) {
    return undefined;
  }
  let redacted = '';
  let copied = 0;
  let wordAt = suspect.firstWord;
  /** The containers around the present one: whether each is an object. */
  const outer: boolean[] = [];
  let isOpen = !isWhole;
  let isObject = !isWhole;
  let isKeyNext = false;

  /** Whether a string, its quotes included, must be looked at. */
  const isSuspectAt = (start: number, end: number): boolean => {
    if (wordAt >= 0 && wordAt < start) {
      wordAt = nextSecretWord(lower, start);
    }
    return hasShape || (wordAt >= 0 && wordAt <= end);
  };
  const replace = (from: number, to: number, by: string) => {
    redacted += text.slice(copied, from) + by;
    copied = to;
  };

  let at = 0;
  // The structure is the same in lower case.
  while (at < lower.length) {
    const code = lower.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(lower, at);
      if (end < 0 || !isOpen) {
        return undefined;
      }
      const mustLook = isSuspectAt(at, end);
      if (!isKeyNext) {
        if (mustLook) {
          const value = decode(text.slice(at + 1, end));
          if (value === undefined || value === 'Buffer' || isSecretHeader(value)) {
            return undefined;
          }
          const clean = redactText(value);
          if (clean !== value) {
            replace(at, end + 1, JSON.stringify(clean));
          }
        }
        at = end + 1;
        continue;
      }
      isKeyNext = false;
      if (lower.charCodeAt(end + 1) !== COLON) {
        return undefined;
      }
      const kind = mustLook ? kindOf(text.slice(at + 1, end)) : 'plain';
      if (kind === 'odd') {
        return undefined;
      }
      const name = at;
      at = end + 2;
      if (kind === 'secret' && carriesSecret(text.slice(name + 1, end), lower.charCodeAt(at))) {
        const valueEnd = endOfValue(lower, at);
        if (valueEnd < 0) {
          return undefined;
        }
        replace(at, valueEnd, `"${MASK}"`);
        at = valueEnd;
      }
    } else if (code === COMMA) {
      isKeyNext = isObject;
      at += 1;
    } else if (code === BRACE || code === BRACKET) {
      if (isOpen) {
        outer.push(isObject);
      }
      isOpen = true;
      isObject = code === BRACE;
      isKeyNext = isObject;
      at += 1;
    } else if (code === BRACE_END || code === BRACKET_END) {
      at += 1;
      const next = outer.pop();
      if (next === undefined) {
        // Whatever follows the object would be another, or none.
        const isAlone = at === text.length || (at === text.length - 1 && text.endsWith('\n'));
        return isAlone ? `${redacted}${text.slice(copied, at)}\n` : undefined;
      }
      isObject = next;
      isKeyNext = false;
    } else if (isLiteral(code) && isOpen) {
      at += 1;
    } else {
      return undefined;
    }
  }
  return undefined;
}

type Kind = 'plain' | 'secret' | 'odd';

const known = new Map<string, Kind>();
const MAX_KNOWN = 1000;

/** What the name of a field, as it stands in JSON, says about its value. */
function kindOf(name: string): Kind {
  let kind = known.get(name);
  if (kind === undefined) {
    kind = decide(name);
    // Names come from a program's own sources, so they are few; a name from outside must not fill the memory.
    if (known.size < MAX_KNOWN && name.length < 100) {
      known.set(name, kind);
    }
  }
  return kind;
}

function decide(name: string): Kind {
  // Which members of a key are secret, another member says.
  if (name === 'kty' || name.includes('\\') || redactText(name) !== name) {
    return 'odd';
  }
  return isSecretName(name) ? 'secret' : 'plain';
}

/** `hasToken: true` and `password: null` say something without giving anything away. */
function carriesSecret(name: string, firstCode: number): boolean {
  if (firstCode === LETTER_T || firstCode === LETTER_F || firstCode === LETTER_N) {
    return false;
  }
  const isNumber = firstCode === MINUS || (firstCode >= DIGIT_0 && firstCode <= DIGIT_9);
  return !(isNumber && isCount(name, 0));
}

function decode(raw: string): string | undefined {
  if (!raw.includes('\\')) {
    return raw;
  }
  try {
    // Between quotes it is a string, or no JSON at all.
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}

/** Where the string that begins there has its closing quote; -1 for nowhere. */
function endOfString(line: string, start: number): number {
  let end = line.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (line.charCodeAt(end - 1 - slashes) === BACKSLASH) {
      slashes += 1;
    }
    if (slashes % 2 === 0) {
      return end;
    }
    end = line.indexOf('"', end + 1);
  }
  return -1;
}

/** Where the value that begins there is over; -1 for nowhere. */
function endOfValue(line: string, start: number): number {
  let depth = 0;
  for (let at = start; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(line, at);
      if (at < 0) {
        return -1;
      }
      if (depth === 0) {
        return at + 1;
      }
    } else if (code === BRACE || code === BRACKET) {
      depth += 1;
    } else if (code === BRACE_END || code === BRACKET_END) {
      if (depth === 0) {
        return at;
      }
      depth -= 1;
      if (depth === 0) {
        return at + 1;
      }
    } else if (code === COMMA && depth === 0) {
      return at;
    }
  }
  return -1;
}

/** What numbers, `true`, `false` and `null` are made of. */
function isLiteral(code: number): boolean {
  return (
    (code >= DIGIT_0 && code <= DIGIT_9) ||
    (code >= LETTER_A && code <= LETTER_Z) ||
    code === MINUS ||
    code === PLUS ||
    code === DOT
  );
}

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const COLON = 58;
const BRACKET = 91;
const BACKSLASH = 92;
const BRACKET_END = 93;
const LETTER_A = 97;
const LETTER_F = 102;
const LETTER_N = 110;
const LETTER_T = 116;
const LETTER_Z = 122;
const BRACE = 123;
const BRACE_END = 125;
