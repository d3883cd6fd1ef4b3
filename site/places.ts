import { existsSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the site is published, and where in it: GitHub Pages puts it below the name of the repository. */
export const site = { origin: 'https://mcp-parts.github.io', base: '/mcp-parts/' } as const;

const SOURCES_URL = 'https://github.com/mcp-parts/mcp-parts';

/** Where the API reference is written before it becomes pages, from the root of the repository. */
export const REFERENCE_FOLDER = 'site/generated/api';

/** The Markdown files that are no pages: the first is the start page of GitHub, the others are no documentation. */
export const NO_PAGES = [
  'README.md',
  '{.changeset,.github,.toolchain,.turbo,bench,data,test,scripts}/**',
  'examples/*/**',
  'packages/*/{api,src,test,template}/**',
  'packages/test-services/**',
  '**/CHANGELOG.md',
];

/** The page that a Markdown file becomes, both as paths, of the repository and of the site. */
export function pageOf(file: string): string {
  const page = file
    .replace(/^docs\//u, '')
    .replace(/^site\/generated\//u, '')
    // GitHub Pages takes a folder for a page of its name.
    .replace(/^api\/([^/]+)\/([^/]+)$/u, 'api/$1-$2')
    .replace(/^apps\/([^/]+)\/README\.md$/u, 'programs/$1.md')
    .replace(/^packages\/([^/]+)\/README\.md$/u, 'packages/$1.md')
    .replace(/^(examples|deploy)\/README\.md$/u, '$1.md')
    .replace(/README\.md$/u, 'index.md');
  return page.includes('/') ? page : page.toLowerCase();
}

/**
 * Where a link of a Markdown file leads on the site. Files write their links for who reads them in the repository; what is
 * a page is linked on the site, everything else at GitHub.
 *
 * @param file the file with the link, from the root of the repository.
 * @param pages the Markdown files that are pages.
 * @throws {Error} when the link leads nowhere.
 */
export function resolveLink(link: string, file: string, pages: ReadonlySet<string>): string {
  if (/^(?:[a-z]+:|#|\/)/u.test(link)) {
    return link;
  }
  const [path = '', anchor] = link.split('#');
  const target = posix.normalize(posix.join(posix.dirname(file), decodeURI(path))).replace(/\/$/u, '');
  const hash = anchor === undefined ? '' : `#${anchor}`;
  if (target === 'README.md') {
    return `/index.md${hash}`;
  }
  const page = [target, `${target}/README.md`].find((candidate) => pages.has(candidate));
  if (page !== undefined) {
    return `/${pageOf(page)}${hash}`;
  }
  const place = join(root, target);
  if (target.startsWith('..') || !existsSync(place)) {
    throw new Error(`${file} links to ${link}, which is not there`);
  }
  return `${SOURCES_URL}/${statSync(place).isDirectory() ? 'tree' : 'blob'}/main/${target}${hash}`;
}

/** A path of this machine as a path from the root of the repository, with forward slashes. */
export function fromRoot(path: string): string {
  return relative(root, path).split(sep).join('/');
}

/** The anchor of a heading as GitHub makes it, so that a link holds in both places. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}
