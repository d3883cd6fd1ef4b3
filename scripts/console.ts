/**
 * `pnpm console`: bundles the operator's page of server-kit into one file of its sources, so that it is there in whatever
 * way they are built.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const folder = fileURLToPath(new URL('../packages/server-kit/console/', import.meta.url));
const file = fileURLToPath(new URL('../packages/server-kit/src/console/assets.ts', import.meta.url));

/** The parts of the page, by the names under which the server has them. */
export async function consoleAssets(): Promise<Readonly<Record<string, string>>> {
  const { outputFiles } = await build({
    entryPoints: [`${folder}main.ts`],
    bundle: true,
    format: 'esm',
    target: 'es2024',
    minifyWhitespace: true,
    minifySyntax: true,
    write: false,
  });
  const read = (name: string) => readFile(`${folder}${name}`, 'utf8');
  return {
    page: await read('index.html'),
    signIn: await read('sign-in.html'),
    style: await read('style.css'),
    script: outputFiles.map(({ text }) => text).join(''),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = Object.entries(await consoleAssets()).map(
    ([name, text]) => `export const ${name} =\n  ${JSON.stringify(text)};\n`,
  );
  await writeFile(
    file,
    `// Bundled from packages/server-kit/console by \`pnpm console\`.\n\n${lines.join('\n')}`,
  );
}
