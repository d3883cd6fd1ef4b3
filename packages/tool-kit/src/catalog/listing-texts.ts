// Controls but tab and line feed, and what turns the direction of text around (Unicode, "Bidirectional Algorithm").
const UNPRINTABLE = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/u;

/**
 * Checks the texts that a definition shows to people and models.
 *
 * @throws {TypeError} naming the definition and the text, when it is empty or has characters that cannot be seen.
 */
export function checkTexts(kind: string, texts: Readonly<Record<string, unknown>>): void {
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== 'string' || text.trim() === '') {
      throw new TypeError(`${kind}: ${name} must be a text, got ${JSON.stringify(text)}`);
    }
    const found = UNPRINTABLE.exec(text);
    if (found !== null) {
      const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
      throw new TypeError(`${kind}: ${name} has the character U+${code}, which nobody sees`);
    }
  }
}
