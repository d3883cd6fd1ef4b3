import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { TemplateManifest } from './files/package-json.ts';

// From src and from dist alike.
const own = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

export const TEMPLATE_FOLDER = own('template');
export const SNIPPET_FOLDER = own('snippets');

/** The manifest of this package. */
export async function readManifest(): Promise<TemplateManifest> {
  // Ours, published with this file.
  return JSON.parse(await readFile(own('package.json'), 'utf8')) as TemplateManifest;
}
