import type { Icon, ListingOptions } from '../definition/listing-options.ts';
import type { JsonObject } from '../json.ts';
import { unseenIn } from '../visible-text.ts';

/** Where a list entry names the former names of a tool, for programs that compare contracts. */
export const FORMER_NAMES_KEY = 'mcp-parts/formerNames';

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
    const unseen = unseenIn(text);
    if (unseen !== undefined) {
      throw new TypeError(`${kind}: ${name} has the character ${unseen}, which nobody sees`);
    }
  }
}

/**
 * What a list shows of any definition, checked.
 *
 * @throws {TypeError} naming the definition and the member.
 */
export function listingOf(
  kind: string,
  definition: ListingOptions & { readonly name: string; readonly description: string },
): JsonObject {
  const { name, title, description, icons, meta } = definition;
  checkTexts(kind, title === undefined ? { description } : { title, description });
  return {
    name,
    ...(title !== undefined && { title }),
    description,
    ...(icons !== undefined && { icons: icons.map((icon) => iconOf(kind, icon)) }),
    ...(meta !== undefined && { _meta: meta }),
  };
}

function iconOf(kind: string, { src, mimeType, sizes, theme }: Icon): JsonObject {
  if (!/^(?:https:|data:image\/)/iu.test(src)) {
    throw new TypeError(`${kind}: an icon must be an https: or data:image/ URI, got ${src.slice(0, 64)}`);
  }
  return {
    src,
    ...(mimeType !== undefined && { mimeType }),
    ...(sizes !== undefined && { sizes }),
    ...(theme !== undefined && { theme }),
  };
}
