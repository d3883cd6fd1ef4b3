import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Where the pages for operations are, with a slash at its end. */
export const operationPages = fileURLToPath(new URL('../../../docs/operations/', import.meta.url));

/** The commands of a page, in their order. */
export async function commandsOf(page: string): Promise<string> {
  return (await blocksOf(page, 'sh')).join('\n');
}

/** What the commands of a page are said to print, line by line; `…` stands for anything. */
export async function transcriptOf(page: string): Promise<string[]> {
  return (await blocksOf(page, 'text')).flatMap((block) => block.trimEnd().split('\n'));
}

async function blocksOf(page: string, language: string): Promise<string[]> {
  const markdown = await readFile(`${operationPages}${page}`, 'utf8');
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gmsu'));
  return [...blocks].map(([, block = '']) => block);
}
