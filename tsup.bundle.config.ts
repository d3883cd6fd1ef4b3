import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { defineConfig, type Options } from 'tsup';

const NOTICES = 'dist/THIRD_PARTY_NOTICES.txt';
const METAFILE = 'dist/metafile-esm.json';

/** zod says what is wrong in fifty languages, and its index names them all. Models and operators are told in English. */
const englishOnly: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'english-only',
  // esbuild reads the filter as an expression of Go, which has no flags behind it.
  setup(build) {
    build.onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer, resolveDir }) =>
      /[\\/]node_modules[\\/]zod[\\/]/u.test(importer)
        ? { path: join(resolveDir, path, '..', 'en.js'), sideEffects: false }
        : undefined,
    );
  },
};

/**
 * A program as one bundle with everything in it: it starts without a search through `node_modules`. What is imported
 * with `import()` is a file of its own, which is read when it is needed. Beside it lie the licences of what it holds.
 */
export default defineConfig({
  entry: ['src/main.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node22',
  noExternal: [/./u],
  splitting: true,
  clean: true,
  metafile: true,
  removeNodeProtocol: false,
  esbuildPlugins: [englishOnly],
  // What is CommonJS asks for Node's own modules with `require`.
  banner: {
    js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
  },
  esbuildOptions(options) {
    // Files, not the bundles of packages: only files can be left out.
    options.conditions = ['@mcp-parts/source', ...(options.conditions ?? [])];
    options.legalComments = 'none';
    // V8 keeps the text of what it has loaded, with two bytes a letter where one is outside of Latin-1, as some are in
    // comments. Names stay, for stacks; a line that an error shows stays short.
    options.minifyWhitespace = true;
    options.lineLimit = 160;
  },
  onSuccess: () => {
    writeNotices();
    return Promise.resolve();
  },
});

function writeNotices(): void {
  const { inputs } = JSON.parse(readFileSync(METAFILE, 'utf8')) as { inputs: Record<string, unknown> };
  const folders = new Set(
    Object.keys(inputs).flatMap(
      (file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(file)?.[0] ?? [],
    ),
  );
  const notices = [...folders].map(noticeOf).toSorted();
  writeFileSync(NOTICES, `${[...new Set(notices)].join(`\n${'-'.repeat(80)}\n\n`)}\n`);
}

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    'name' | 'version' | 'license',
    string
  >;
  const file = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)/iu.test(entry));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}`.trim();
}
