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

/** Lines of the page that were not printed, each after the one before. */
export function missingOf(expected: readonly string[], printed: readonly string[]): string[] {
  let at = 0;
  return expected.filter((line) => {
    const pattern = patternOf(line);
    const found = printed.findIndex((one, index) => index >= at && pattern.test(one));
    at = found === -1 ? at : found + 1;
    return found === -1;
  });
}

/** A line of the page as the pattern of what is printed. */
function patternOf(line: string): RegExp {
  const parts = line.split('…').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'u');
}

async function blocksOf(page: string, language: string): Promise<string[]> {
  const markdown = await readFile(`${operationPages}${page}`, 'utf8');
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gmsu'));
  return [...blocks].map(([, block = '']) => block);
}
