import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Application, type TypeDocOptions } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';

import { REFERENCE_FOLDER, root } from './places.ts';

/** The condition under which a package exports its sources. */
const SOURCE = '@mcp-parts/source';

interface EntryPoint {
  /** From the folder of the packages. */
  readonly file: string;
  /** What is imported, without the scope that all have. */
  readonly name: string;
}

/** The entry points of the published packages, by the name that TypeDoc has for each. */
function entryPoints(): ReadonlyMap<string, EntryPoint> {
  const found = new Map<string, EntryPoint>();
  for (const folder of readdirSync(join(root, 'packages'))) {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly private?: boolean;
      readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
    };
    for (const [path, target] of manifest.private === true ? [] : Object.entries(manifest.exports)) {
      if (typeof target === 'object' && target[SOURCE] !== undefined) {
        const file = `${folder}/${target[SOURCE].slice('./'.length)}`;
        found.set(file.replace(/(?:\/index)?\.ts$/u, ''), { file, name: `${folder}${path.slice(1)}` });
      }
    }
  }
  return found;
}

/**
 * Writes the API reference as Markdown, one page for each entry point, from the doc comments of its sources.
 *
 * @throws {Error} when TypeDoc finds something wrong.
 */
export async function writeReference(): Promise<void> {
  const names = entryPoints();
  const out = join(root, REFERENCE_FOLDER);
  rmSync(out, { recursive: true, force: true });
  const options: TypeDocOptions & Partial<PluginOptions> = {
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: [...names.values()].map(({ file }) => join(root, 'packages', file)),
    tsconfig: join(root, 'tsconfig.json'),
    // `pnpm typecheck` does that.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    readme: 'none',
    name: 'API',
    out,
    disableSources: true,
    logLevel: 'Error',
    router: 'module',
    entryFileName: 'README',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    propertiesFormat: 'table',
    interfacePropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    pageTitleTemplates: { module: '@mcp-parts/{name}' },
    tableColumnSettings: { hideSources: true, hideModifiers: true, hideInherited: true, hideOverrides: true },
  };
  const application = await Application.bootstrapWithPlugins(options);
  const project = await application.convert();
  if (project === undefined) {
    throw new Error('TypeDoc could not read the packages');
  }
  // TypeDoc names an entry point by its file; a reader knows it by what is imported.
  for (const entryPoint of project.children ?? []) {
    entryPoint.name = names.get(entryPoint.name)?.name ?? entryPoint.name;
  }
  await application.generateOutputs(project);
  if (application.logger.hasErrors()) {
    throw new Error('TypeDoc found errors');
  }
}
