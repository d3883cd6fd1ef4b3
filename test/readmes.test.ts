import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

import { layOut, patternOf, readExamples } from './page-examples.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The examples of each page, by its path from the root. */
const pages = new Map(
  pageFiles().map((file) => [
    relative(root, file).split(sep).join('/'),
    readExamples(readFileSync(file, 'utf8')),
  ]),
);

/** The TypeScript of each page as files that would lie beside it: those of the documentation have all packages. */
const examples = new Map(
  [...pages].flatMap(([page, { files }]) =>
    [...files]
      .filter(([name]) => name.endsWith('.ts'))
      .map(([name, code]) => {
        const beside = page.startsWith('docs/') ? `site/${page.replace(/\.md$/u, '')}` : dirname(page);
        return [join(root, beside, name), { page, code }] as const;
      }),
  ),
);

function pageFiles(): string[] {
  const packages = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(root, group, name, 'README.md')),
  );
  const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, 'docs', name));
  return [join(root, 'README.md'), ...packages, ...documents].filter((file) => ts.sys.fileExists(file));
}

function compile(): Map<string, string[]> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (file) => ts.sys.readFile(file));
  const options: ts.CompilerOptions = {
    ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
    // An example may leave a variable to its reader.
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  const folders = new Set([...examples.keys()].map((file) => dirname(file)));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    directoryExists: (folder) => folders.has(folder) || ts.sys.directoryExists(folder),
    fileExists: (file) => examples.has(file) || disk.fileExists(file),
    readFile: (file) => examples.get(file)?.code ?? disk.readFile(file),
    getSourceFile: (file, ...rest) => {
      const code = examples.get(file)?.code;
      if (code === undefined) {
        return disk.getSourceFile(file, ...rest);
      }
      return ts.createSourceFile(file, code, {
        languageVersion: ts.ScriptTarget.ESNext,
        impliedNodeFormat: ts.ModuleKind.ESNext,
      });
    },
  };
  const program = ts.createProgram([...examples.keys()], options, host);
  const problems = new Map<string, string[]>();
  for (const { file, messageText, start } of ts.getPreEmitDiagnostics(program)) {
    if (file === undefined || !examples.has(file.fileName)) {
      continue;
    }
    const line = file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    const text = `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    problems.set(file.fileName, [...(problems.get(file.fileName) ?? []), text]);
  }
  return problems;
}

describe('the examples of the pages', () => {
  const problems = compile();
  it.each([...examples].map(([file, { page }]) => [page, basename(file), file]))(
    'compile: %s, %s',
    (_page, _name, file) => {
      expect(problems.get(file)).toBeUndefined();
    },
  );
});

describe.each([...pages].filter(([, { claims }]) => claims.length > 0))('%s', (_page, page) => {
  const programs = layOut(page);
  afterAll(() => programs[Symbol.dispose]());

  it.each(page.claims)('prints what it says: $run', async (claim) => {
    expect((await programs.print(claim)).trim()).toMatch(patternOf(claim.output));
  });
});
