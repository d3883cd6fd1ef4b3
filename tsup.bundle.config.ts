import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { defineConfig } from 'tsup';

const NOTICES = 'dist/THIRD_PARTY_NOTICES.txt';
const METAFILE = 'dist/metafile-esm.json';

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
  // What is CommonJS asks for Node's own modules with `require`.
  banner: {
    js: "import { createRequire as createBundleRequire } from 'node:module'; const require = createBundleRequire(import.meta.url);",
  },
  esbuildOptions(options) {
    // Files, not the bundles of packages: only files can be left out.
    options.conditions = ['@mcp-parts/source', ...(options.conditions ?? [])];
    options.legalComments = 'none';
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
  rmSync(METAFILE);
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
