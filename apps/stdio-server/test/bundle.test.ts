import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const dist = new URL('../dist/', import.meta.url);
const isBuilt = existsSync(new URL('main.js', dist));

/** What each file of the bundle holds, from this one on, without what is imported when it is needed. */
async function loadedFrom(file: string, loaded = new Map<string, string>()): Promise<Map<string, string>> {
  if (!loaded.has(file)) {
    const text = await readFile(new URL(file, dist), 'utf8');
    loaded.set(file, text);
    for (const match of text.matchAll(/^(?:import|export)\b[^'"]*?["']\.\/(?<file>[^"']+)["'];$/gmu)) {
      await loadedFrom(match.groups?.['file'] ?? '', loaded);
    }
  }
  return loaded;
}

/** The npm packages that the bundler has put into these texts. */
function packagesIn(texts: Iterable<string>): ReadonlySet<string> {
  return new Set(
    [...texts].flatMap((text) =>
      [...text.matchAll(/^\s*\/\/ .*\/node_modules\/(?<name>(?:@[^/\s]+\/)?[^/\s]+)\//gmu)].map(
        (match) => match.groups?.['name'] ?? '',
      ),
    ),
  );
}

describe.skipIf(!isBuilt)('the bundle', () => {
  it('loads nothing before it answers that only a call needs', async () => {
    const main = await readFile(new URL('main.js', dist), 'utf8');
    const program = /import\("\.\/(?<file>program-[^"]+)"\)/u.exec(main)?.groups?.['file'] ?? '';
    const loaded = packagesIn((await loadedFrom(program)).values());
    expect([...loaded]).toEqual(expect.arrayContaining(['zod', 'pino']));
    const heavy = ['undici', 'opossum', 'jose', 'yaml', 'ldapts', 'fastify', '@opentelemetry/sdk-metrics'];
    expect(heavy.filter((name) => loaded.has(name))).toEqual([]);
    expect([...loaded].filter((name) => name.startsWith('@modelcontextprotocol/'))).toEqual([]);
  });

  it('names the licence of everything in it', async () => {
    const notices = await readFile(new URL('THIRD_PARTY_NOTICES.txt', dist), 'utf8');
    for (const name of [
      'zod',
      'pino',
      'undici',
      '@modelcontextprotocol/sdk',
      '@modelcontextprotocol/server',
    ]) {
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'mu'));
    }
    expect(notices).toContain('Permission is hereby granted');
    expect(notices).not.toContain(fileURLToPath(dist));
  });
});
