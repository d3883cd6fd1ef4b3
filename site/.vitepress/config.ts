import { defineConfig } from 'vitepress';

import { readForSite } from '../markdown.ts';
import { side, top } from '../menu.ts';
import { finishSite } from '../output.ts';
import { anchorOf, NO_PAGES, pageOf, root, site } from '../places.ts';

/** The Markdown files that are pages, from the root of the repository; known before the first is read. */
const pages = new Set<string>();

export default defineConfig({
  title: 'mcp-parts',
  description: 'The parts of an MCP server that an organisation can answer for.',
  lang: 'en',
  base: site.base,
  head: [['link', { rel: 'icon', href: `${site.base}icon.svg`, type: 'image/svg+xml' }]],
  srcDir: root,
  srcExclude: NO_PAGES,
  outDir: 'dist',
  cacheDir: 'node_modules/.cache/vitepress',
  cleanUrls: true,
  metaChunk: true,
  rewrites: (file) => {
    pages.add(file);
    return pageOf(file);
  },
  markdown: {
    anchor: { slugify: anchorOf },
    languageAlias: { promql: 'sql', console: 'shellsession' },
    headers: { level: [2, 3] },
    config: (markdown) => readForSite(markdown, pages),
  },
  themeConfig: {
    logo: '/icon.svg',
    nav: top,
    sidebar: side(),
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: 'https://github.com/mcp-parts/mcp-parts' }],
  },
  vite: {
    publicDir: `${root}/site/public`,
    build: { chunkSizeWarningLimit: 2_000 },
  },
  buildEnd: (config) => finishSite(config.outDir, [...pages]),
});
