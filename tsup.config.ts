import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { defineConfig } from 'tsup';

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
  clean: true,
  splitting: true,
  // `sqlite` without its prefix is no built-in module.
  removeNodeProtocol: false,
});
