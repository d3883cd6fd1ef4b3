import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

const documents = [
  ...filesIn('.', (name) => name.endsWith('.md')),
  ...filesBelow('docs', (name) => name.endsWith('.md')),
  ...['packages', 'apps'].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => `${kind}/${name}/README.md`),
  ),
  'deploy/README.md',
  'examples/README.md',
].filter((path) => existsSync(join(root, path)));

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('has links that lead somewhere', () => {
    const links = [...text.matchAll(/\]\((?<target>[^)\s]+)\)/gu)]
      .map((match) => match.groups?.['target'] ?? '')
      .filter((target) => !/^[a-z]+:/u.test(target));
    expect(links.filter((link) => !leadsSomewhere(document, link))).toEqual([]);
  });

  it('names source files that exist', () => {
    const named = [...text.matchAll(/`(?<path>[\w@./-]+\.(?:ts|mjs))`/gu)].map(
      (match) => match.groups?.['path'] ?? '',
    );
    expect(named.filter((name) => !isNameOfAFile(document, name))).toEqual([]);
  });
});

/** Where the number stands that ARCHITECTURE gives: each of its limits has a row. */
const LIMITS = [
  {
    claim: 'a body has at most 1 MiB',
    file: 'packages/server-kit/src/limits/endpoint-limits.ts',
    code: 'maxBodyBytes: limits.maxBodyBytes ?? 1024 ** 2',
  },
];

/** What pnpm does by itself, and programs that it runs. */
const PNPM_COMMANDS = ['add', 'changeset', 'check', 'dlx', 'exec', 'install', 'pack', 'sbom'];

it.each(documents)('%s names scripts that exist', (document) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(document).matchAll(/(?:^|`|\$ |&& )pnpm (?<script>[\w:-]+)/gmu)].map(
    ({ groups }) => groups?.['script'] ?? '',
  );
  expect(named.filter((name) => !(name in scripts) && !PNPM_COMMANDS.includes(name))).toEqual([]);
});

describe('docs/troubleshooting.md', () => {
  it('names errors in the words of the code', () => {
    const code = [...filesBelow('packages', isSource), ...filesBelow('apps', isSource)].map(read).join('\n');
    const errors = [
      ...read('docs/troubleshooting.md').matchAll(/^### `(?<text>[^`]+)`$|^\| `(?<first>[^`|]+)`/gmu),
    ].map(({ groups }) => groups?.['text'] ?? groups?.['first'] ?? '');
    const parts = errors.flatMap((text) => text.split('…')).map((part) => part.trim());
    expect(errors.length).toBeGreaterThan(20);
    expect(parts.filter((part) => /\w{3}/u.test(part) && !code.includes(part))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md').replaceAll(/\s+/gu, ' ');

  it.each(LIMITS)('says what the code does: $claim', ({ claim, file, code }) => {
    expect(text).toContain(claim);
    expect(read(file).includes(code), `${file} has ${code}`).toBe(true);
  });

  it('gives no limit that is not compared with the code', () => {
    const given =
      text.match(/\d[\d_,.]*\s?(?:KiB|MiB|GiB|kB|MB|ms|s|seconds|minutes|hours|%)(?![\w-])/gu) ?? [];
    expect(given.filter((limit) => !LIMITS.some(({ claim }) => claim.includes(limit)))).toEqual([]);
  });

  it('lists each file that tells the eras of the protocol apart', () => {
    const table = read('ARCHITECTURE.md').split('## Two protocol eras')[1]?.split('\n## ')[0] ?? '';
    const listed = new Set(
      [...table.matchAll(/`(?<path>[\w./-]+\.ts)`/gu)].map((match) => match.groups?.['path']),
    );
    const knowing = ['tool-kit', 'server-kit', 'testing']
      .flatMap((name) => filesBelow(`packages/${name}/src`, (file) => /(?<!\.test(?:-d)?)\.ts$/u.test(file)))
      .filter((file) => !/\/era-20\d\d\//u.test(file) && tellsErasApart(file))
      .map((file) => file.replace(/^packages\//u, ''));
    expect(knowing.filter((file) => !listed.has(file))).toEqual([]);
  });
});

/** Whether the code of a file speaks of an era; what it imports from the folder of one says so by itself. */
function tellsErasApart(file: string): boolean {
  return /20(?:25|26)/u.test(codeOf(file).replaceAll(/from '[^']*'/gu, ''));
}

/** A path that a document names: from the root, from a package, or by the end that tells it from all others. */
function isNameOfAFile(document: string, name: string): boolean {
  const places = [
    root,
    join(root, 'packages'),
    join(root, dirname(document)),
    join(root, dirname(document), 'src'),
  ];
  return (
    places.some((place) => existsSync(join(place, name))) ||
    sources().some((file) => file.endsWith(`/${name}`))
  );
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : relative(root, resolve(root, dirname(document), decodeURI(path)));
  if (!existsSync(join(root, target))) {
    return false;
  }
  return anchor === undefined || headingsOf(target).includes(anchor);
}

/** The anchors of a document's headings as GitHub makes them. */
function headingsOf(document: string): readonly string[] {
  return [...read(document).matchAll(/^#+ (?<title>.+)$/gmu)].map(({ groups }) =>
    (groups?.['title'] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isSource(name: string): boolean {
  return name.endsWith('.ts') && !name.endsWith('.test.ts');
}

/** The code of a file without its comments. */
function codeOf(file: string): string {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ESNext);
  return ts.createPrinter({ removeComments: true }).printFile(source);
}

function sources(): readonly string[] {
  return ['packages', 'apps', 'examples', 'test', 'bench', 'scripts'].flatMap((folder) =>
    filesBelow(folder, (name) => /\.(?:ts|mjs|yaml)$/u.test(name)),
  );
}

function filesBelow(folder: string, isWanted: (name: string) => boolean): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist' && name !== 'data')
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        return filesBelow(path, isWanted);
      }
      return isWanted(entry.name) ? [path] : [];
    });
}

function filesIn(folder: string, isWanted: (name: string) => boolean): readonly string[] {
  return readdirSync(join(root, folder)).filter(isWanted);
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
    .split(sep === '\\' ? '\r\n' : '\n')
    .join('\n');
}
