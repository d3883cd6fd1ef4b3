import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const sources = join(root, 'packages/server-kit/src');

/** Where eras are registered, a line each. */
const registrations = ['app/eras.ts', 'stdio/eras.ts'].map((file) => join(sources, file));

describe.each(['era-2025', 'era-2026'])('without %s', (era) => {
  it(
    'and its line in each registration the package compiles',
    () => {
      const problems = problemsOf(withoutEra(era));
      expect(problems).toEqual([]);
    },
    // A program of the compiler, on a machine that runs other tests.
    120_000,
  );

  it('is registered in one line for each way to serve it', () => {
    expect(
      registrations.map((file) => linesOf(file).filter((line) => line.includes(`/${era}/`)).length),
    ).toEqual(registrations.map(() => 1));
  });
});

it('sees what is missing', { timeout: 120_000 }, () => {
  const tree = {
    ...withoutEra('era-2026'),
    files: registrations,
    readFile: (path: string) => ts.sys.readFile(path),
  };
  expect(problemsOf(tree).length).toBe(registrations.length);
});

/** What is the same in each of the trees is parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

interface Tree {
  readonly files: readonly string[];
  readonly readFile: (path: string) => string | undefined;
  readonly exists: (path: string) => boolean;
}

/** The tree as it would be once the folder and its lines were deleted. */
function withoutEra(era: string): Tree {
  const folder = join(sources, era) + sep;
  const isGone = (path: string) => join(path).startsWith(folder);
  return {
    files: readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .map((file) => join(sources, file))
      .filter((file) => /(?<!\.test|\.test-d)\.ts$/u.test(file) && !isGone(file)),
    exists: (path) => !isGone(path),
    readFile: (path) =>
      registrations.includes(join(path))
        ? linesOf(path)
            .filter((line) => !line.includes(`/${era}/`))
            .join('\n')
        : ts.sys.readFile(path),
  };
}

function problemsOf({ files, readFile, exists }: Tree): readonly string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const plain = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...plain,
    fileExists: (path) => exists(path) && plain.fileExists(path),
    readFile,
    getSourceFile(path, version, ...others) {
      if (registrations.includes(join(path))) {
        return ts.createSourceFile(path, readFile(path) ?? '', version);
      }
      if (!parsed.has(path)) {
        parsed.set(path, plain.getSourceFile(path, version, ...others));
      }
      return exists(path) ? parsed.get(path) : undefined;
    },
  };
  const program = ts.createProgram({ rootNames: [...files], options: { ...options, noEmit: true }, host });
  return files
    .map((file) => program.getSourceFile(file))
    .flatMap((file) =>
      file === undefined
        ? []
        : [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)],
    )
    .map(
      ({ file, messageText }) =>
        `${relative(root, file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n');
}
