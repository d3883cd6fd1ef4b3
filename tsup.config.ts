import { readFileSync, writeFileSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';

import { defineConfig, type Options } from 'tsup';

/** The manifest of the package being built: tsup runs in the package's own folder. */
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  private?: boolean;
  bin?: Record<string, string>;
  exports?: Record<string, string | Record<string, unknown>>;
};

const sources = [
  ...Object.values(manifest.exports ?? {}).map((target) =>
    typeof target === 'object' ? target['@mcp-parts/source'] : undefined,
  ),
  // A program `x` is built from src/x.ts.
  ...Object.values(manifest.bin ?? {}).map((file) => `./src/${basename(file, '.js')}.ts`),
].filter((source): source is string => typeof source === 'string');

/** The step that makes CommonJS names the file it makes by its path on this machine, in every map. */
const relativeMaps: NonNullable<Options['plugins']>[number] = {
  name: 'relative-maps',
  buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles.filter((file) => file.name.endsWith('.map'))) {
      const map = JSON.parse(readFileSync(name, 'utf8')) as { file?: string; sources: string[] };
      const relative = (path: string): string => (isAbsolute(path) ? basename(path) : path);
      const changed = {
        ...map,
        ...(map.file !== undefined && { file: relative(map.file) }),
        sources: map.sources.map(relative),
      };
      writeFileSync(name, JSON.stringify(changed));
    }
  },
};

export default defineConfig({
  entry: Object.fromEntries(sources.map((source) => [source.replace(/^\.\/src\/(.*)\.ts$/, '$1'), source])),
  // What is published runs in both module systems; the private programs are ES modules only.
  format: manifest.private === true ? ['esm'] : ['esm', 'cjs'],
  target: 'node22',
  dts: manifest.private !== true,
  sourcemap: true,
  esbuildOptions(options) {
    // The maps point at src, which is published too; the sources need not be in them a second time.
    options.sourcesContent = false;
  },
  plugins: [relativeMaps],
  clean: true,
  splitting: true,
  // `sqlite` without its prefix is no built-in module.
  removeNodeProtocol: false,
});
