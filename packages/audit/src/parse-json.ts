/**
 * Parses a file that people and other programs may have written. Editors on Windows put a byte order mark first, which
 * RFC 8259 §8.1 lets a reader ignore.
 * @throws {SyntaxError} when it is no JSON
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text.startsWith('\u{FEFF}') ? text.slice(1) : text);
}
