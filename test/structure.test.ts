import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

/** More files than this hide a second subject. */
const MAX_FILES_IN_A_FOLDER = 12;

/** Folders that hold more for a reason. */
const LARGE_FOLDERS: Readonly<Record<string, string>> = {};

/** The folders with sources: one per package, app and example. */
const sourceFolders = ['packages', 'apps', 'examples']
  .flatMap((kind) => readdirSync(join(root, kind)).map((name) => `${kind}/${name}/src`))
  .filter((folder) => existsSync(join(root, folder)));

describe.each(sourceFolders)('%s', (folder) => {
  const files = sourceFiles(folder);
  const imports = new Map(
    files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]),
  );

  it('has no file that imports itself through others, types included', () => {
    expect(cyclesOf(imports)).toEqual([]);
  });

  // A file in the root of the sources is a room of its own: it may use the folders, or be used by them, but not both.
  it('has imports between folders that run one way', () => {
    const roomOf = (file: string): string => (dirname(file) === folder ? file : dirname(file));
    const rooms = new Map<string, string[]>();
    for (const [file, targets] of imports) {
      const others = targets.map(roomOf).filter((room) => room !== roomOf(file));
      rooms.set(roomOf(file), [...(rooms.get(roomOf(file)) ?? []), ...others]);
    }
    expect(cyclesOf(rooms)).toEqual([]);
  });

  it('has folders that can be taken in at a glance', () => {
    const counts = Map.groupBy(files, (file) => dirname(file));
    const large = [...counts].filter(
      ([name, { length }]) => length > MAX_FILES_IN_A_FOLDER && !(name in LARGE_FOLDERS),
    );
    expect(large.map(([name, { length }]) => `${name}: ${length} files`)).toEqual([]);
  });
});

describe('the search for cycles', () => {
  it('finds what reaches itself, and only that', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
      ['d', ['d']],
    ]);
    expect(cyclesOf(graph)).toEqual(['b → c → b', 'd → d']);
  });
});

it('allows no large folder that has become small', () => {
  const small = Object.keys(LARGE_FOLDERS).filter(
    (folder) =>
      sourceFiles(folder).filter((file) => dirname(file) === folder).length <= MAX_FILES_IN_A_FOLDER,
  );
  expect(small).toEqual([]);
});

/** The source files below a folder without their tests, as paths from the root with forward slashes. */
function sourceFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test(?:-d)?\.ts$/u.test(name))
    .map((name) => `${folder}/${name.split(sep).join('/')}`);
}

/** The files that a file imports by a relative path, `import type` and `import()` included. */
function importsOf(file: string): readonly string[] {
  return ts
    .preProcessFile(readFileSync(join(root, file), 'utf8'))
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) =>
      relative(root, resolve(root, dirname(file), name))
        .split(sep)
        .join('/')
        .replace(/\.js$/u, '.ts'),
    );
}

/** The shortest way from each node back to itself, each cycle once, as `a → b → a`. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found = new Map<string, string>();
  for (const start of graph.keys()) {
    const cycle = wayBack(graph, start);
    const members = cycle?.toSorted().join('\n');
    if (cycle !== undefined && members !== undefined && !found.has(members)) {
      found.set(members, [...cycle, start].join(' → '));
    }
  }
  return [...found.values()];
}

function wayBack(
  graph: ReadonlyMap<string, readonly string[]>,
  start: string,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const ways: (readonly string[])[] = [[start]];
  for (const way of ways) {
    for (const next of graph.get(way.at(-1) ?? start) ?? []) {
      if (next === start) {
        return way;
      }
      if (!seen.has(next)) {
        seen.add(next);
        ways.push([...way, next]);
      }
    }
  }
  return undefined;
}
