import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { projectFiles } from '../src/files/project-files.ts';
import { readManifest, TEMPLATE_FOLDER } from '../src/own-files.ts';
import type { ProjectOptions, Transport } from '../src/project-options.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const both = [false, true];

/** Every set of options that there is, with one identity provider for all. */
const combinations: readonly ProjectOptions[] = (['stdio', 'http', 'both'] as Transport[]).flatMap(
  (transport) =>
    both.flatMap((audit) =>
      both.flatMap((tasks) =>
        (transport === 'stdio' ? ['none'] : ['none', 'entra']).flatMap((auth) =>
          (transport === 'stdio' ? [false] : both).map((redis) => ({
            name: 'a-server',
            transport,
            auth,
            audit,
            tasks,
            redis,
          })),
        ),
      ),
    ),
);

const projects = new Map<string, ReadonlyMap<string, string>>();
beforeAll(async () => {
  for (const [index, options] of combinations.entries()) {
    projects.set(`combination-${index}`, await projectFiles(options, TEMPLATE_FOLDER, await readManifest()));
  }
});

/** What a strict compiler says of all projects, as if each lay in a folder of this package. */
function problemsOf(settings: ts.CompilerOptions): string {
  const sources = new Map(
    [...projects].flatMap(([name, files]) =>
      [...files]
        .filter(([path]) => path.endsWith('.ts'))
        .map(([path, text]) => [join(folder, name, path), text] as const),
    ),
  );
  const disk = ts.createCompilerHost(settings);
  const host: ts.CompilerHost = {
    ...disk,
    directoryExists: (path) => path.includes('/combination-') || ts.sys.directoryExists(path),
    fileExists: (file) => sources.has(file) || disk.fileExists(file),
    readFile: (file) => sources.get(file) ?? disk.readFile(file),
    getSourceFile(file, ...rest) {
      const text = sources.get(file);
      const options = {
        languageVersion: ts.ScriptTarget.ES2024,
        impliedNodeFormat: ts.ModuleKind.ESNext as const,
      };
      return text === undefined
        ? disk.getSourceFile(file, ...rest)
        : ts.createSourceFile(file, text, options);
    },
  };
  const program = ts.createProgram([...sources.keys()], settings, host);
  const problems = [...sources.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => folder,
    getNewLine: () => '\n',
  });
}

describe('every combination of options', () => {
  it('compiles strictly, with nothing unused', async () => {
    const template = projects.get('combination-0')?.get('tsconfig.json') ?? '';
    const { config } = ts.parseConfigFileTextToJson('tsconfig.json', template);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);

    const problems = problemsOf({
      ...options,
      noUnusedLocals: true,
      noUnusedParameters: true,
      customConditions: ['@mcp-parts/source'],
    });

    expect(problems).toBe('');
  }, 120_000);

  it('keeps no marker of the template, and no place that was to be filled', () => {
    const left = [...projects.values()].flatMap((files) =>
      [...files].filter(([, text]) =>
        /<\/?!?(?:stdio|http|auth|audit|tasks|redis)>|\{\{auth|my-server/iu.test(text),
      ),
    );
    expect(left.map(([path]) => path)).toEqual([]);
  });

  it('has settings, policies and values that are YAML, and clients and manifests that are JSON', () => {
    const documents = [...projects.values()].flatMap((files) =>
      [...files].filter(([path]) => /\.(?:ya?ml|json)$/u.test(path)),
    );
    const read = documents.map(([path, text]) => {
      // JSON is YAML, but not for those who read these files.
      const value: unknown = path.endsWith('.json') ? JSON.parse(text) : parse(text);
      return [path, typeof value];
    });
    expect(read).toEqual(documents.map(([path]) => [path, 'object']));
  });
});
