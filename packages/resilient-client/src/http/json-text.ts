/**
 * Parses a body. Backends on .NET put a byte order mark first, which RFC 8259 §8.1 lets a reader ignore.
 * @throws {SyntaxError} when it is no JSON
 */
export function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8');
  return JSON.parse(text.startsWith('\u{FEFF}') ? text.slice(1) : text);
}
