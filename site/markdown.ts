import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import type { MarkdownRenderer } from 'vitepress';

import { fromRoot, resolveLink, root } from './places.ts';

/** Makes Markdown that is written to be read in the repository right on the site: its links, and its drawings. */
export function readForSite(markdown: MarkdownRenderer, pages: ReadonlySet<string>): void {
  markdown.core.ruler.push('links-of-the-repository', ({ tokens, env }) => {
    const file = fileOf(env);
    if (file === undefined) {
      return;
    }
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href !== null) {
        token.attrSet('href', resolveLink(href, file, pages));
      }
    }
  });

  // A drawing becomes part of the page: only there it follows the theme that the reader chose.
  const { image } = markdown.renderer.rules;
  markdown.renderer.rules.image = (tokens, index, options, env, self) => {
    const token = tokens[index];
    const source = token?.attrGet('src') ?? '';
    if (token === undefined || !source.endsWith('.svg')) {
      return image?.(tokens, index, options, env, self) ?? '';
    }
    return drawing(join(root, posix.dirname(fileOf(env) ?? ''), source), token.content);
  };
}

/**
 * The file that is read, from the root of the repository; `undefined` where a heading alone is read, for the title. The
 * index of the search knows no `realPath`.
 */
function fileOf(environment: { readonly path?: string; readonly realPath?: string }): string | undefined {
  const path = environment.realPath ?? environment.path;
  return path === undefined ? undefined : fromRoot(path);
}

/** The SVG in a file without the colours of its own; those of the site are in `theme/style.css`. */
function drawing(file: string, description: string): string {
  const svg = readFileSync(file, 'utf8').replace(/<style>[^]*?<\/style>/u, '');
  const label = description.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<span class="drawing" role="img" aria-label="${label}" v-pre>${svg.trim()}</span>`;
}
