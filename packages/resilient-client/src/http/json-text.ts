/**
 * Parses a body.
 * @throws {SyntaxError} when it is no JSON
 */
export function parseJson(body: Buffer): unknown {
  return JSON.parse(jsonText(body));
}

/** A body as text. Backends on .NET put a byte order mark first, which RFC 8259 §8.1 lets a reader ignore. */
export function jsonText(body: Buffer): string {
  const text = body.toString('utf8');
  return text.startsWith('\u{FEFF}') ? text.slice(1) : text;
}
