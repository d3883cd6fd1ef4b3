import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const dist = new URL('../dist/', import.meta.url);
const isBuilt = existsSync(new URL('main.js', dist));

/** What esbuild tells of a file it wrote, as far as it matters here. */
interface Output {
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** The sources that are loaded with this file, without what is imported when it is needed. */
function sourcesFrom(
  file: string,
  outputs: Readonly<Record<string, Output>>,
  loaded = new Set<string>(),
): readonly string[] {
  const output = outputs[file];
  if (output === undefined || loaded.has(file)) {
    return [];
  }
  loaded.add(file);
  return [
    ...Object.keys(output.inputs),
    ...output.imports
      .filter(({ kind }) => kind === 'import-statement')
      .flatMap(({ path }) => sourcesFrom(path, outputs, loaded)),
  ];
}

/** The npm packages that these sources belong to. */
function packagesOf(sources: readonly string[]): ReadonlySet<string> {
  return new Set(
    sources.flatMap(
      (source) => /^.*\/node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)\//u.exec(source)?.groups?.['name'] ?? [],
    ),
  );
}

describe.skipIf(!isBuilt)('the bundle', () => {
  it('loads nothing before it answers that only a call needs', async () => {
    const { outputs } = JSON.parse(await readFile(new URL('metafile-esm.json', dist), 'utf8')) as {
      readonly outputs: Readonly<Record<string, Output>>;
    };
    const program = outputs['dist/main.js']?.imports.find(({ path }) => path.startsWith('dist/program-'));
    const loaded = packagesOf(sourcesFrom(program?.path ?? '', outputs));
    expect([...loaded]).toEqual(expect.arrayContaining(['zod', 'pino']));
    const heavy = ['undici', 'opossum', 'jose', 'yaml', 'ldapts', 'fastify', '@opentelemetry/sdk-metrics'];
    expect(heavy.filter((name) => loaded.has(name))).toEqual([]);
    expect([...loaded].filter((name) => name.startsWith('@modelcontextprotocol/'))).toEqual([]);
  });

  it('has one byte for each letter of its programs, and English alone', async () => {
    const programs = (await readdir(dist)).filter((file) => file.endsWith('.js'));
    const texts = await Promise.all(programs.map((file) => readFile(new URL(file, dist), 'latin1')));
    // Bytes above 127 are letters that UTF-8 needs more of them for.
    expect(programs.filter((_file, index) => /[\u0080-\u00FF]/u.test(texts[index] ?? ''))).toEqual([]);
    expect(texts.some((text) => text.includes('Invalid input: expected '))).toBe(true);
    expect(texts.some((text) => text.includes('Ung\\xFCltige Eingabe'))).toBe(false);
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
