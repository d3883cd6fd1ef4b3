import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { finishSite } from '../site/output.ts';
import { resolveLink } from '../site/places.ts';

const pages = new Set(['docs/guide/start.md', 'docs/runbooks/README.md', 'packages/audit/README.md']);

describe('a link of a page', () => {
  const from = (link: string): string => resolveLink(link, 'docs/guide/start.md', pages);

  it.each([
    ['../../packages/audit/README.md#errors', '/packages/audit.md#errors'],
    ['../../packages/audit', '/packages/audit.md'],
    ['../runbooks', '/runbooks/index.md'],
    ['../../README.md', '/index.md'],
    ['#or-one-file', '#or-one-file'],
    ['https://example.com/a.md', 'https://example.com/a.md'],
    ['../../deploy/chart', 'https://github.com/mcp-parts/mcp-parts/tree/main/deploy/chart'],
    ['../../LICENSE', 'https://github.com/mcp-parts/mcp-parts/blob/main/LICENSE'],
  ])('%s leads to %s', (link, place) => {
    expect(from(link)).toBe(place);
  });

  it.each(['strat.md', '../../packages/audits', '../../../elsewhere'])('%s ends the build', (link) => {
    expect(() => from(link)).toThrow(`docs/guide/start.md links to ${link}, which is not there`);
  });
});

describe('the finished site', () => {
  let out: string;
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'site-'));
    writeFileSync(join(out, 'cost.html'), '<h2 id="memory">Memory</h2>');
  });
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  it('ends the build when a link leads to a heading that is not there', () => {
    writeFileSync(
      join(out, 'index.html'),
      '<a href="/mcp-parts/cost#memory">a</a><a href="./cost.html#disk">b</a>',
    );
    expect(() => finishSite(out, [])).toThrow(
      'links to headings that are not there:\nindex.html: ./cost.html#disk',
    );
  });

  it('has each page as Markdown, with links that lead somewhere from anywhere, and a list of them', () => {
    finishSite(out, [...pages]);
    const start = readFileSync(join(out, 'guide/start.md'), 'utf8');
    expect(start).toContain('](https://github.com/mcp-parts/mcp-parts/tree/main/examples/existing-servers)');
    expect(readFileSync(join(out, 'llms.txt'), 'utf8')).toContain(
      '- [Start](https://mcp-parts.github.io/mcp-parts/guide/start.md): You need ',
    );
    expect(readFileSync(join(out, 'llms-full.txt'), 'utf8')).toContain('# @mcp-parts/audit');
  });
});
