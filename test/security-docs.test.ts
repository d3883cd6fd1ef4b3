import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);

/** Each test that a document names: its file, and its name or the row of its table. */
function namedTests(document: string): readonly { readonly file: string; readonly name: string }[] {
  const text = readFileSync(new URL(document, root), 'utf8');
  return [...text.matchAll(/`([^`]+\.test(?:-d)?\.ts)` “([^”]+)”/gu)].map(([, file = '', name = '']) => ({
    file,
    name,
  }));
}

describe.each(['docs/threat-model.md', 'docs/authorization-duties.md'])('%s', (document) => {
  const named = namedTests(document);

  it('names tests', () => {
    expect(named.length).toBeGreaterThan(20);
  });

  it.each(named)('names a test that exists: $file $name', ({ file, name }) => {
    const path = fileURLToPath(new URL(file, root));
    expect(existsSync(path)).toBe(true);
    const source = readFileSync(path, 'utf8').replaceAll("\\'", "'");
    expect(source).toContain(name);
  });

  it('leaves no threat and no duty without a test', () => {
    const rows = readFileSync(new URL(document, root), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|') && !/^\|[\s|-]+$/u.test(line) && !/\| Test\s*\|$/u.test(line));
    expect(rows.filter((row) => !row.includes('.ts` “'))).toEqual([]);
  });
});
