import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { GUIDE } from './menu.ts';
import { pageOf, REFERENCE_FOLDER, resolveLink, root, site } from './places.ts';

/** A page as text. */
interface Text {
  /** On the site, as `guide/start.md`. */
  readonly path: string;
  readonly title: string;
  /** The first sentence below the title. */
  readonly summary: string;
  readonly markdown: string;
}

/** What is listed in `llms.txt`, by the beginning of its path on the site. */
const SECTIONS: readonly (readonly [title: string, path: RegExp])[] = [
  ['Guide', /^guide\//u],
  ['Packages', /^packages\//u],
  ['When something is wrong', /^troubleshooting/u],
  ['In depth', /^[^/]+$/u],
  ['Operations', /^(?:operations|runbooks)\//u],
  ['Programs', /^programs\//u],
  ['Decisions', /^decisions\//u],
  ['API reference', /^api\//u],
];

/**
 * Checks the links to headings, and writes each page as Markdown beside the HTML, for programs that read, with
 * `llms.txt`, a list of them, and `llms-full.txt`, the text of all but the API reference.
 *
 * @param out the folder that the site was written to.
 * @param files the Markdown files that became pages.
 * @throws {Error} when a link leads to a heading that is not there.
 */
export function finishSite(out: string, files: readonly string[]): void {
  const lost = lostAnchors(out);
  if (lost.length > 0) {
    throw new Error(`links to headings that are not there:\n${lost.join('\n')}`);
  }
  const texts = files
    .map((file) => textOf(file, new Set(files)))
    .toSorted((one, other) => GUIDE.indexOf(one.path) - GUIDE.indexOf(other.path));
  for (const { path, markdown } of texts) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), markdown);
  }
  writeFileSync(join(out, 'llms.txt'), contents(texts));
  const read = SECTIONS.flatMap(([, section]) => texts.filter(({ path }) => section.test(path)));
  const whole = read.filter(({ path }) => !path.startsWith('api/') && !path.startsWith('decisions/'));
  writeFileSync(join(out, 'llms-full.txt'), whole.map(({ markdown }) => markdown).join('\n\n---\n\n'));
}

/** https://llmstxt.org: a title, a summary, and lists of links. */
function contents(texts: readonly Text[]): string {
  const start = texts.find(({ path }) => path === 'index.md');
  const sections = SECTIONS.map(([title, section]) => {
    const lines = texts
      .filter(({ path }) => section.test(path) && path !== 'index.md')
      .map(
        (text) => `- [${text.title}](${urlOf(text.path)})${text.summary === '' ? '' : `: ${text.summary}`}`,
      );
    return `## ${title}\n\n${lines.join('\n')}\n`;
  });
  return `# mcp-parts\n\n> ${start?.summary ?? ''}\n\n${sections.join('\n')}`;
}

/** A page as it is written, with links that lead somewhere from anywhere. */
function textOf(file: string, pages: ReadonlySet<string>): Text {
  const source = readFileSync(join(root, file), 'utf8').replace(/^---\n[^]*?\n---\n/u, '');
  const markdown = source.replaceAll(/(?<=\]\()(?!\w+:)(?<link>[^)\s#]+)(?=[)#])/gu, (link) => {
    // TypeDoc writes links in tables and code that no rule of Markdown needs to know here.
    const target = file.startsWith(REFERENCE_FOLDER) ? `/${pageOf(join(dirname(file), link))}` : link;
    const place = resolveLink(target, file, pages);
    return place.startsWith('/') ? urlOf(place.slice(1)) : place;
  });
  const [, title = file, rest = ''] = /^# (.+)\n+([^]*)$/mu.exec(markdown) ?? [];
  const paragraph = /^[^\s<#`|*!:[-][^]*?(?=\n\n|$)/mu.exec(rest.split('\n#')[0] ?? '')?.[0] ?? '';
  return {
    path: pageOf(file),
    title: title.replaceAll('`', ''),
    summary: firstSentence(paragraph),
    markdown,
  };
}

function firstSentence(paragraph: string): string {
  const line = paragraph.replaceAll(/\s+/gu, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1');
  return /^.+?\.(?= |$)/u.exec(line)?.[0] ?? line;
}

function urlOf(path: string): string {
  return `${site.origin}${site.base}${path}`;
}

/** Each link between pages whose heading is not on the page that it names. */
function lostAnchors(out: string): readonly string[] {
  const html = new Map(
    readdirSync(out, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.html'))
      .map((name) => [name, readFileSync(join(out, name), 'utf8')] as const),
  );
  const ids = new Map(
    [...html].map(([name, text]) => [
      name,
      new Set([...text.matchAll(/ id="([^"]*)"/gu)].map(([, id]) => id)),
    ]),
  );
  return [...html].flatMap(([name, text]) =>
    [...text.matchAll(/ href="([^"#]*)#([^"]+)"/gu)].flatMap(([, path = '', anchor = '']) => {
      const target = fileOf(name, path);
      const known = target === undefined ? undefined : ids.get(target);
      return known === undefined || known.has(decodeURIComponent(anchor))
        ? []
        : [`${name}: ${path}#${anchor}`];
    }),
  );
}

/** The file that a link of a page leads to, or `undefined` when it leads to another site. */
function fileOf(page: string, path: string): string | undefined {
  if (/^\w+:/u.test(path)) {
    return undefined;
  }
  const { pathname } = new URL(path === '' ? page : path, `${site.origin}${site.base}${page}`);
  const name = decodeURI(pathname)
    .slice(site.base.length)
    .replace(/\.html$/u, '');
  return name === '' || name.endsWith('/') ? `${name}index.html` : `${name}.html`;
}
