import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The TypeScript examples of each README, read from top to bottom, as one file that would lie beside it. */
const examples = new Map(
  readmes().flatMap((file) => {
    const blocks = [...readFileSync(file, 'utf8').matchAll(/^```ts\n(?<code>.*?)^```$/gmsu)];
    const code = blocks.map((match) => match.groups?.['code'] ?? '').join('');
    return code === '' ? [] : [[join(dirname(file), 'readme-examples.ts'), code] as const];
  }),
);

function readmes(): string[] {
  const packages = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(root, group, name, 'README.md')),
  );
  return [join(root, 'README.md'), ...packages].filter((file) => ts.sys.fileExists(file));
}

function compile(): Map<string, string[]> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (file) => ts.sys.readFile(file));
  const options: ts.CompilerOptions = {
    ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
    // An example may leave a variable to its reader.
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => examples.has(file) || disk.fileExists(file),
    readFile: (file) => examples.get(file) ?? disk.readFile(file),
    getSourceFile: (file, ...rest) => {
      const code = examples.get(file);
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

describe('the examples of the READMEs', () => {
  const problems = compile();
  it.each([...examples.keys()].map((file) => [relative(root, dirname(file)), file]))(
    'compile: %s',
    (_name, file) => {
      expect(problems.get(file)).toBeUndefined();
    },
  );
});
