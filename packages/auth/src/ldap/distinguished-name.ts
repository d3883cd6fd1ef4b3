const HEX_PAIR = /^[0-9a-f]{2}$/i;
/** RFC 4514 §3: what a backslash may stand before, beside two hexadecimal digits. */
const ESCAPABLE = new Set([' ', '"', '#', '+', ',', ';', '<', '=', '>', '\\']);
const TYPE = /^(?:[a-z][a-z0-9-]*|(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+)$/i;

/**
 * The one spelling of a distinguished name (RFC 4514): two names are the same entry's exactly if their keys are
 * equal. Case, the kind of escape, spaces at separators and repeated ones, and the order within a multi-valued
 * component do not count, as with `caseIgnoreMatch` (RFC 4518), which groups and people are named by. What a
 * server may fold beyond that is taken for different here: a group missed denies, a group mistaken would allow.
 * @throws {SyntaxError} when the text is not a distinguished name
 */
export function distinguishedNameKey(text: string): string {
  return JSON.stringify(parse(text).map((component) => component.toSorted()));
}

/** As {@link distinguishedNameKey}; of what is no such name, one that is equal to itself alone. */
export function keyOfFoundName(text: string): string {
  try {
    return distinguishedNameKey(text);
  } catch {
    // Servers send what RFC 4514 does not have. It can be none that the policy knows, and the others still count. No
    // key of a name begins with this sign.
    return `?${text}`;
  }
}

function fold(value: string): string {
  return value
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replaceAll(/ +/g, ' ')
    .replaceAll(/^ | $/g, '');
}

/** Components of a name, first one first; each has one folded `type=value`, or several that `+` joins. */
function parse(text: string): string[][] {
  const reader = new Reader(text);
  if (reader.isAtEnd()) {
    return [];
  }
  const components: string[][] = [];
  do {
    const component: string[] = [];
    do {
      component.push(readPart(reader));
    } while (reader.take('+'));
    components.push(component);
    // RFC 2253 allowed a semicolon; servers still accept it.
  } while (reader.take(',') || reader.take(';'));
  if (!reader.isAtEnd()) {
    throw reader.fault('unexpected character');
  }
  return components;
}

function readPart(reader: Reader): string {
  reader.skipSpaces();
  let type = '';
  while (!reader.isAtEnd() && reader.peek() !== '=') {
    type += reader.next();
  }
  type = type.trimEnd();
  if (!TYPE.test(type)) {
    throw reader.fault('not an attribute type');
  }
  if (!reader.take('=')) {
    throw reader.fault('missing "="');
  }
  reader.skipSpaces();
  const name = type.toLowerCase();
  // The sign after the name keeps a hexadecimal value apart from a text that looks like one.
  return reader.peek() === '#' ? name + readHexValue(reader) : `${name}=${fold(readValue(reader))}`;
}

function readValue(reader: Reader): string {
  // Escaped bytes are UTF-8, so a value is collected as bytes.
  const bytes: Buffer[] = [];
  let length = 0;
  let end = 0;
  const push = (chunk: Buffer): void => {
    bytes.push(chunk);
    length += chunk.length;
  };
  while (!reader.isAtEnd() && !'+,;'.includes(reader.peek())) {
    const character = reader.next();
    if (character === '\0' || '"<>'.includes(character)) {
      throw reader.fault('must be escaped');
    }
    if (character === '\\') {
      push(readEscape(reader));
      end = length;
    } else {
      push(Buffer.from(character));
      // Spaces before a separator are no part of the value, unless they are escaped.
      if (character !== ' ') {
        end = length;
      }
    }
  }
  return decode(Buffer.concat(bytes).subarray(0, end), reader);
}

function readEscape(reader: Reader): Buffer {
  if (reader.isAtEnd()) {
    throw reader.fault('nothing after the backslash');
  }
  const first = reader.next();
  if (ESCAPABLE.has(first)) {
    return Buffer.from(first);
  }
  const pair = reader.isAtEnd() ? first : first + reader.next();
  if (!HEX_PAIR.test(pair)) {
    throw reader.fault('unknown escape');
  }
  return Buffer.from(pair, 'hex');
}

/** `#` and the BER encoding of the value. Only equal spellings of it are taken for the same value. */
function readHexValue(reader: Reader): string {
  let digits = reader.next();
  while (!reader.isAtEnd() && !'+,; '.includes(reader.peek())) {
    digits += reader.next();
  }
  reader.skipSpaces();
  if (!/^#(?:[0-9a-f]{2})+$/i.test(digits)) {
    throw reader.fault('not a hexadecimal value');
  }
  return digits.toLowerCase();
}

function decode(bytes: Buffer, reader: Reader): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw reader.fault('not UTF-8');
  }
}

/** Walks over the text by code point. */
class Reader {
  readonly #characters: readonly string[];
  #position = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  isAtEnd(): boolean {
    return this.#position >= this.#characters.length;
  }

  peek(): string {
    return this.#characters[this.#position] ?? '';
  }

  next(): string {
    const character = this.peek();
    this.#position += 1;
    return character;
  }

  take(character: string): boolean {
    if (this.peek() !== character) {
      return false;
    }
    this.#position += 1;
    return true;
  }

  skipSpaces(): void {
    while (this.take(' ')) {}
  }

  /** Names the place only: the text may hold a person's name. */
  fault(problem: string): SyntaxError {
    return new SyntaxError(`not a distinguished name: ${problem} at character ${this.#position}`);
  }
}
