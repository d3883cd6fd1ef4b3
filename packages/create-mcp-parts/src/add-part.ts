import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { rangeOf } from './files/package-json.ts';
import { readManifest, SNIPPET_FOLDER } from './own-files.ts';
import { namesOf, type PartNames } from './part-names.ts';
import { addBackend, addDefinition, addSettings, addTestSettings } from './project-edits.ts';
import { UsageError } from './project-options.ts';

/** What can be added to a project. */
export type PartKind = 'tool' | 'resource' | 'prompt' | 'backend';

/** The kinds of parts, as a person types them. */
export const PART_KINDS: readonly PartKind[] = ['tool', 'resource', 'prompt', 'backend'];

/**
 * Adds a part and its test to a project, and names it where the project lists its parts. Returns the paths of what was
 * written; nothing is when it throws.
 *
 * @throws {UsageError} when the name is wrong or taken, or the folder has no project that was made here.
 */
export async function addPart(folder: string, kind: PartKind, name: string): Promise<readonly string[]> {
  const names = namesOf(name);
  const changes = new Map<string, string>();
  const ofWindows = new Set<string>();
  const read = async (path: string): Promise<string> => {
    let text: string;
    try {
      text = await readFile(join(folder, path), 'utf8');
    } catch (cause) {
      throw new UsageError(`There is no ${path} here: run this in the folder of a project`, { cause });
    }
    if (text.includes('\r\n')) {
      ofWindows.add(path);
    }
    return text.replace(/^\ufeff/u, '').replaceAll('\r\n', '\n');
  };
  const source = `src/${kind}s/${names.file}.ts`;
  for (const [path, snippet] of [
    [source, `${kind}.ts`],
    [`test/${names.file}.test.ts`, `${kind}.test.ts`],
  ] as const) {
    if (await isThere(join(folder, path))) {
      throw new UsageError(`${path} is there already`);
    }
    const text = await readFile(join(SNIPPET_FOLDER, `${snippet}.template`), 'utf8');
    changes.set(path, named(text, names));
  }
  if (kind === 'backend') {
    changes.set('src/parts.ts', addBackend(await read('src/parts.ts'), names));
    changes.set('test/program.ts', addTestSettings(await read('test/program.ts'), names));
    for (const path of ['.env', '.env.example']) {
      changes.set(path, addSettings(await read(path).catch(() => ''), names));
    }
    changes.set('package.json', await withClient(await read('package.json')));
  } else {
    changes.set('src/definitions.ts', addDefinition(await read('src/definitions.ts'), kind, names));
  }
  for (const [path, text] of changes) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), ofWindows.has(path) ? text.replaceAll('\n', '\r\n') : text);
  }
  return [...changes.keys()];
}

async function withClient(text: string): Promise<string> {
  let manifest: { dependencies?: Record<string, string> };
  try {
    // Written by `createProject`, and read by npm since.
    manifest = JSON.parse(text) as typeof manifest;
  } catch (cause) {
    throw new UsageError('package.json is no JSON', { cause });
  }
  const client = '@mcp-parts/resilient-client';
  const range = rangeOf(client, await readManifest());
  const dependencies = Object.entries({ [client]: range, ...manifest.dependencies });
  const sorted = Object.fromEntries(dependencies.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  return `${JSON.stringify({ ...manifest, dependencies: sorted }, null, 2)}\n`;
}

function named(text: string, { file, snake, camel, pascal, constant, title }: PartNames): string {
  return text
    .replaceAll('file-of', file)
    .replaceAll('name_of', snake)
    .replaceAll('nameOf', camel)
    .replaceAll('NameOf', pascal)
    .replaceAll('NAME_OF', constant)
    .replaceAll('Title of', title);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
