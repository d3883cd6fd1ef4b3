import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it } from 'vitest';

import { checkChangeset, checkReports, noteReleased, readApis, writeReports } from '../scripts/api.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

describe.each(readApis(root))('the public API of $name', (api) => {
  it('is the one in its reports', () => {
    expect(checkReports(api) ?? '').toBe('');
  });

  it('is the one that was released last, or a changeset says that it changed', () => {
    expect(checkChangeset(api, root) ?? '').toBe('');
  });
});

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A workspace with one published package. */
async function workspaceWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-parts-api-'));
  folders.push(folder);
  const manifest = {
    name: '@mcp-parts/lamp',
    type: 'module',
    exports: { '.': { '@mcp-parts/source': './src/index.ts' }, './package.json': './package.json' },
  };
  await write(folder, {
    '.changeset/README.md': '# Changesets\n',
    'packages/lamp/package.json': JSON.stringify(manifest),
    ...files,
  });
  return folder;
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

function lampOf(folder: string): ReturnType<typeof readApis>[number] {
  const [api] = readApis(folder);
  if (api === undefined) {
    throw new Error('the workspace has no package');
  }
  return api;
}

const INDEX = 'packages/lamp/src/index.ts';
const LAMP = `
import { type Brightness, secret } from './brightness.js';
/** A comment that callers read, and no report. */
export interface Lamp { readonly set: (brightness: Brightness) => void }
export function createLamp(): Lamp { return { set: () => secret() }; }
`;
const BRIGHTNESS = {
  'packages/lamp/src/brightness.ts':
    "export type Brightness = 'dim' | 'bright';\nexport function secret(): void {}",
};

describe('a report', () => {
  it('has what is exported, in order of its names, and the types that it is made of', async () => {
    const folder = await workspaceWith({ [INDEX]: LAMP, ...BRIGHTNESS });
    expect(lampOf(folder).current['index.md']).toBe(`# API of \`@mcp-parts/lamp\`

Written by \`pnpm api\`.

\`\`\`ts
export function createLamp(): Lamp;

export interface Lamp {
    readonly set: (brightness: Brightness) => void;
}

// Not exported, but part of the types above:

type Brightness = 'dim' | 'bright';
\`\`\`
`);
  });

  it('stays the same when code moves, is commented or works differently', async () => {
    const before = lampOf(await workspaceWith({ [INDEX]: LAMP, ...BRIGHTNESS }));
    const after = lampOf(
      await workspaceWith({
        [INDEX]: "export { createLamp } from './lamp.js';\nexport type { Lamp } from './lamp.js';",
        'packages/lamp/src/lamp.ts': `${LAMP.replace('=> secret()', '=> undefined')}void secret;`,
        ...BRIGHTNESS,
      }),
    );
    expect(after.current).toEqual(before.current);
  });

  it('says under which other name something is exported', async () => {
    const folder = await workspaceWith({
      [INDEX]: "export { secret as reveal } from './brightness.js';",
      ...BRIGHTNESS,
    });
    expect(lampOf(folder).current['index.md']).toContain('export { secret as reveal };');
  });
});

describe('the check of the reports', () => {
  it('passes after they were written, whatever the ends of their lines', async () => {
    const folder = await workspaceWith({ [INDEX]: LAMP, ...BRIGHTNESS });
    const api = lampOf(folder);
    writeReports(api);
    expect(checkReports(api)).toBeUndefined();
    const file = join(folder, 'packages/lamp/api/index.md');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', '\r\n'));
    expect(checkReports(api)).toBeUndefined();
  });

  it('shows what changed, in a type that is not exported too, and says what to do', async () => {
    const folder = await workspaceWith({ [INDEX]: LAMP, ...BRIGHTNESS });
    writeReports(lampOf(folder));
    await write(folder, {
      'packages/lamp/src/brightness.ts': "export type Brightness = 'dim';\nexport function secret(): void {}",
    });
    expect(checkReports(lampOf(folder))).toBe(
      `The public API of @mcp-parts/lamp changed. Run \`pnpm api\`, review the diff, and add a changeset.

api/index.md
  …
  // Not exported, but part of the types above:
  
- type Brightness = 'dim' | 'bright';
+ type Brightness = 'dim';
  \`\`\`
  `,
    );
  });

  it('finds the report of an entry point that is no more, and writing removes it', async () => {
    const folder = await workspaceWith({
      [INDEX]: LAMP,
      ...BRIGHTNESS,
      'packages/lamp/api/testing.md': 'a report\n',
    });
    const api = lampOf(folder);
    expect(checkReports(api)).toContain('api/testing.md\n- a report');
    writeReports(api);
    expect(checkReports(api)).toBeUndefined();
  });
});

describe('the check for a changeset', () => {
  const changesetFor = (name: string): Record<string, string> => ({
    '.changeset/brave-lamps-shine.md': `---\n'${name}': minor\n---\n\n'@mcp-parts/lamp': shines.\n`,
  });
  const MISSING =
    'The public API of @mcp-parts/lamp is not the one that was released last. ' +
    'Add a changeset that names @mcp-parts/lamp.';

  it('asks for one before the first release', async () => {
    const folder = await workspaceWith({ [INDEX]: LAMP, ...BRIGHTNESS });
    const api = lampOf(folder);
    writeReports(api);
    expect(checkChangeset(api, folder)).toBe(MISSING);
    await write(folder, changesetFor('@mcp-parts/lamp'));
    expect(checkChangeset(api, folder)).toBeUndefined();
  });

  it('asks for none after a release, until a report changes', async () => {
    const folder = await workspaceWith({ [INDEX]: LAMP, ...BRIGHTNESS });
    const api = lampOf(folder);
    writeReports(api);
    noteReleased(api.folder);
    expect(checkChangeset(api, folder)).toBeUndefined();

    await write(folder, { [INDEX]: `${LAMP}export const MAX_LAMPS = 3;\n` });
    const changed = lampOf(folder);
    writeReports(changed);
    expect(checkChangeset(changed, folder)).toBe(MISSING);
  });

  it('does not take one of another package for it', async () => {
    const folder = await workspaceWith({
      [INDEX]: LAMP,
      ...BRIGHTNESS,
      ...changesetFor('@mcp-parts/lamp-shade'),
    });
    const api = lampOf(folder);
    writeReports(api);
    expect(checkChangeset(api, folder)).toBe(MISSING);
  });
});
