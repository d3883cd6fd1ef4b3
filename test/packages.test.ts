import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Consumer, createConsumer, entryPoints, publishedPackages } from './packed-packages.ts';

const run = promisify(execFile);
const packages = await publishedPackages();

let consumer: Consumer;
beforeAll(async () => {
  consumer = await createConsumer();
});
afterAll(() => consumer[Symbol.asyncDispose]());

describe.each(packages)('the tarball of $manifest.name', ({ manifest }) => {
  it('has what a reader looks for, what it exports, and no tests', async () => {
    const files = await consumer.files(manifest.name);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
    expect(files).toEqual(expect.arrayContaining(exportedFiles(manifest.exports)));
    expect(files.filter((file) => /\.(test|test-d|bench)\.|(^|\/)test\//.test(file))).toEqual([]);
  });

  it('passes publint', async () => {
    const { messages, pkg } = await publint({
      pkgDir: consumer.installed(manifest.name),
      pack: false,
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has types that fit its modules', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(await consumer.tarball(manifest.name)));
    expect(analysis.types).toEqual({ kind: 'included' });
    expect('problems' in analysis ? analysis.problems.filter(concernsUs) : []).toEqual([]);
  });

  it.each(entryPoints(manifest))(
    'loads %s with import and with require, and does nothing else',
    async (entry) => {
      const names = 'Object.keys(module).filter((name) => name !== "module.exports").sort()';
      const imported = await evaluate('module', `const module = await import('${entry}');`, names);
      const required = await evaluate('commonjs', `const module = require('${entry}');`, names);
      expect(imported).toEqual(required);
    },
  );
});

it('compiles for a project that checks the types of what it installs', async () => {
  const specifiers = packages.flatMap(({ manifest }) => entryPoints(manifest));
  const files = [join(consumer.folder, 'esm.mts'), join(consumer.folder, 'cjs.cts')];
  const source = specifiers.map((name, index) => `export * as entry${index} from '${name}';`).join('\n');
  await Promise.all(files.map((file) => writeFile(file, source)));

  // Their dependencies are links that lead out of the consumer's folder: what is in it is ours.
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    typeRoots: [join(import.meta.dirname, '../node_modules/@types')],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  });
  const problems = program
    .getSourceFiles()
    .filter((file) => file.fileName.startsWith(consumer.folder))
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
  expect(ts.formatDiagnostics(problems, formatHost)).toBe('');
});

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => consumer.folder,
  getNewLine: () => '\n',
};

/**
 * node10 is left out: that resolution, of TypeScript before 4.7, knows no `exports`, and every Node the packages run
 * on has them.
 */
function concernsUs(problem: Problem): boolean {
  const resolution =
    'resolutionKind' in problem
      ? problem.resolutionKind
      : 'resolutionOption' in problem
        ? problem.resolutionOption
        : undefined;
  return resolution !== 'node10';
}

/** Runs a program in the consumer's folder. It fails when it prints anything else, or does not end by itself. */
async function evaluate(inputType: 'module' | 'commonjs', source: string, result: string): Promise<unknown> {
  const program = `${source} process.stdout.write(JSON.stringify(${result}))`;
  const { stdout, stderr } = await run(process.execPath, [`--input-type=${inputType}`, '--eval', program], {
    cwd: consumer.folder,
    timeout: 15_000,
    env: {},
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** Every file a conditional export points at. */
function exportedFiles(target: unknown): string[] {
  if (typeof target === 'string') {
    return [target.replace('./', '')];
  }
  return typeof target === 'object' && target !== null ? Object.values(target).flatMap(exportedFiles) : [];
}
