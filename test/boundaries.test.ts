import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it } from 'vitest';

import { findViolations } from '../scripts/boundaries.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** A workspace with the packages of this one that the cases need: the folder and the kind of each. */
const PACKAGES = {
  audit: ['packages/audit', 'leaf'],
  tasks: ['packages/tasks', 'leaf'],
  'resilient-client': ['packages/resilient-client', 'leaf'],
  'tool-kit': ['packages/tool-kit', 'kit'],
  redis: ['packages/redis', 'adapter'],
  'deployment-tools': ['packages/deployment-tools', 'domain'],
  'other-tools': ['packages/other-tools', 'domain'],
  'server-kit': ['packages/server-kit', 'assembly'],
  testing: ['packages/testing', 'test-support'],
  'test-services': ['packages/test-services', 'test-service'],
  'http-server': ['apps/http-server', 'app'],
  'stdio-server': ['apps/stdio-server', 'app'],
  sandbox: ['apps/sandbox', 'test-support'],
} as const;

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function workspaceWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-parts-boundaries-'));
  folders.push(folder);
  const skeleton = Object.entries(PACKAGES).flatMap(([name, [path, kind]]): [string, string][] => [
    [`${path}/package.json`, JSON.stringify({ name: `@mcp-parts/${name}` })],
    [`${path}/turbo.json`, JSON.stringify({ tags: [kind] })],
  ]);
  const all: Readonly<Record<string, string>> = {
    'pnpm-workspace.yaml': 'packages:\n  - packages/*\n  - apps/*\n',
    ...Object.fromEntries<string>(skeleton),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const LEAF = 'a leaf imports no package of this workspace';
const KIT = 'the kit imports no package of this workspace';
const DOMAIN = 'a domain imports the kit and @mcp-parts/resilient-client';
const ASSEMBLY = 'the assembly imports leaves and the kit';
const ADAPTER = 'an adapter imports leaves and the kit';
const APP = 'an app imports leaves, the kit, adapters, domains and the assembly, and no other app';
const SUPPORT = 'test support imports everything but apps';
const SERVICE = 'a test service imports nothing';
const TESTS_ONLY = 'only tests import test support';
const BY_PATH = 'a package is imported by its name, not by a path';

describe('the table of who may import whom', () => {
  it.each([
    ['packages/audit/src/a.ts', '@mcp-parts/tasks', LEAF],
    ['packages/audit/src/a.test.ts', '@mcp-parts/tasks', LEAF],
    ['packages/audit/src/a.ts', '@mcp-parts/tool-kit', LEAF],
    ['packages/audit/src/a.ts', '@mcp-parts/deployment-tools', LEAF],
    ['packages/audit/src/a.ts', '@mcp-parts/server-kit', LEAF],
    ['packages/audit/src/a.ts', '@mcp-parts/http-server', LEAF],
    ['packages/tool-kit/src/a.ts', '@mcp-parts/audit', KIT],
    ['packages/tool-kit/src/a.ts', '@mcp-parts/server-kit', KIT],
    ['packages/tool-kit/test/a.test.ts', '@mcp-parts/test-services', KIT],
    ['packages/tool-kit/src/a.ts', 'pino', 'the kit imports zod and the MCP SDKs'],
    [
      'packages/tool-kit/src/a.ts',
      '@modelcontextprotocol/sdk/types.js',
      'the kit imports an MCP SDK only in the file that binds it',
    ],
    [
      'packages/tool-kit/src/sdk-2025.ts',
      '@modelcontextprotocol/server',
      'the kit imports an MCP SDK only in the file that binds it',
    ],
    ['packages/deployment-tools/src/a.ts', '@mcp-parts/audit', DOMAIN],
    ['packages/deployment-tools/src/a.ts', '@mcp-parts/server-kit', DOMAIN],
    ['packages/deployment-tools/src/a.ts', '@mcp-parts/other-tools', DOMAIN],
    ['packages/deployment-tools/test/a.test.ts', '@mcp-parts/server-kit', DOMAIN],
    ['packages/server-kit/src/a.ts', '@mcp-parts/deployment-tools', ASSEMBLY],
    ['packages/server-kit/src/a.ts', '@mcp-parts/http-server', ASSEMBLY],
    ['packages/server-kit/src/a.ts', '@mcp-parts/redis', ASSEMBLY],
    ['packages/redis/src/a.ts', '@mcp-parts/server-kit', ADAPTER],
    ['packages/redis/src/a.ts', '@mcp-parts/deployment-tools', ADAPTER],
    ['packages/tasks/src/a.ts', '@mcp-parts/redis', LEAF],
    ['packages/redis/src/a.ts', '@mcp-parts/tasks/testing', TESTS_ONLY],
    ['apps/http-server/src/a.ts', '@mcp-parts/stdio-server', APP],
    ['apps/http-server/test/a.test.ts', '@mcp-parts/stdio-server', APP],
    ['packages/testing/src/a.ts', '@mcp-parts/http-server', SUPPORT],
    ['packages/test-services/src/a.ts', '@mcp-parts/audit', SERVICE],
    ['packages/test-services/src/a.ts', '@mcp-parts/testing', SERVICE],
    ['packages/test-services/src/a.ts', 'zod', SERVICE],
    ['packages/audit/src/a.ts', '@mcp-parts/testing', TESTS_ONLY],
    ['packages/audit/src/a.ts', '@mcp-parts/test-services', TESTS_ONLY],
    ['packages/server-kit/src/a.ts', '@mcp-parts/audit/testing', TESTS_ONLY],
    ['apps/http-server/src/a.ts', '@mcp-parts/sandbox', TESTS_ONLY],
    ['apps/http-server/src/a.ts', '@mcp-parts/sandbox/testing', TESTS_ONLY],
    ['packages/audit/src/a.ts', '../../tasks/src/index.js', BY_PATH],
    ['packages/audit/test/a.test.ts', '../../../test/packed-packages.ts', BY_PATH],
  ])('%s may not import %s', async (file, imported, rule) => {
    const folder = await workspaceWith({ [file]: `\nimport { a } from '${imported}';\n` });
    expect(findViolations(folder)).toEqual([{ file, line: 2, imported, rule }]);
  });

  it.each([
    ['packages/audit/src/a.ts', 'zod'],
    ['packages/audit/src/a.ts', '@mcp-parts/audit'],
    ['packages/audit/src/a.ts', '../package.json'],
    ['packages/audit/src/a.test.ts', '@mcp-parts/test-services'],
    ['packages/audit/src/a.test-d.ts', '@mcp-parts/testing'],
    ['packages/tool-kit/src/a.ts', 'zod/v4'],
    ['packages/tool-kit/src/a.ts', 'node:timers'],
    ['packages/tool-kit/src/a.test.ts', 'fast-check'],
    ['packages/tool-kit/src/sdk-2025.ts', '@modelcontextprotocol/sdk/types.js'],
    ['packages/tool-kit/src/sdk-2026.ts', '@modelcontextprotocol/server'],
    ['packages/deployment-tools/src/a.ts', '@mcp-parts/tool-kit'],
    ['packages/deployment-tools/src/a.ts', '@mcp-parts/resilient-client'],
    ['packages/server-kit/src/a.ts', '@mcp-parts/audit'],
    ['packages/server-kit/src/a.ts', '@mcp-parts/tool-kit/sdk-2025'],
    ['packages/server-kit/test/a.ts', '@mcp-parts/testing'],
    ['packages/redis/src/a.ts', '@mcp-parts/tasks'],
    ['packages/redis/test/a.test.ts', '@mcp-parts/tasks/testing'],
    ['packages/redis/test/a.test.ts', '@mcp-parts/test-services'],
    ['apps/http-server/src/a.ts', '@mcp-parts/redis'],
    ['packages/testing/src/a.ts', '@mcp-parts/audit/testing'],
    ['apps/http-server/src/a.ts', '@mcp-parts/deployment-tools'],
    ['apps/http-server/test/a.test.ts', '@mcp-parts/sandbox/testing'],
    ['apps/sandbox/src/a.ts', '@mcp-parts/test-services'],
  ])('%s may import %s', async (file, imported) => {
    const folder = await workspaceWith({ [file]: `import { a } from '${imported}';` });
    expect(findViolations(folder)).toEqual([]);
  });
});

describe('the search for imports', () => {
  it.each([
    ["import '@mcp-parts/tasks';"],
    ["import type { Task } from '@mcp-parts/tasks';"],
    ["export { createTaskEngine } from '@mcp-parts/tasks';"],
    ["export type * from '@mcp-parts/tasks';"],
    ["import tasks = require('@mcp-parts/tasks');"],
    ["const tasks = await import('@mcp-parts/tasks');"],
    ['const tasks = await import(`@mcp-parts/tasks`);'],
    ["const tasks = require('@mcp-parts/tasks');"],
    ["const path = require.resolve('@mcp-parts/tasks');"],
    ["const path = import.meta.resolve('@mcp-parts/tasks');"],
    ["type Task = import('@mcp-parts/tasks').Task;"],
    ["declare const tasks: typeof import('@mcp-parts/tasks');"],
  ])('finds %s', async (code) => {
    const folder = await workspaceWith({ 'packages/audit/src/deep/a.mts': code });
    expect(findViolations(folder)).toEqual([
      { file: 'packages/audit/src/deep/a.mts', line: 1, imported: '@mcp-parts/tasks', rule: LEAF },
    ]);
  });

  it('does not look at what was built or installed', async () => {
    const code = "import '@mcp-parts/tasks';";
    const folder = await workspaceWith({
      'packages/audit/dist/index.js': code,
      'packages/audit/node_modules/x/index.js': code,
    });
    expect(findViolations(folder)).toEqual([]);
  });
});

it('refuses a package that does not say its kind', async () => {
  const folder = await workspaceWith({ 'packages/audit/turbo.json': '{}' });
  expect(() => findViolations(folder)).toThrow(
    /^packages\/audit\/turbo\.json must have one of the tags leaf,/u,
  );
});

it('fails as a command, and names the file, the import and the rule', async () => {
  const folder = await workspaceWith({ 'packages/audit/src/a.ts': "import '@mcp-parts/tasks';" });
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/boundaries.ts'), folder], {
    encoding: 'utf8',
  });
  expect(stderr).toContain(`packages/audit/src/a.ts:1 imports @mcp-parts/tasks: ${LEAF}\n`);
  expect(status).toBe(1);
});

it('finds nothing in this workspace', () => {
  expect(findViolations(root)).toEqual([]);
});
