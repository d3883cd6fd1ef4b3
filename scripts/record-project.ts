// Keeps what create-mcp-parts writes at a release, with a part of each kind added, so that the packages can be tried on it
// from then on: test/created-project.test.ts. `pnpm version-packages` runs it.
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { addPart } from '../packages/create-mcp-parts/src/add-part.ts';
import { createProject } from '../packages/create-mcp-parts/src/create-project.ts';

const record = fileURLToPath(
  new URL('../packages/create-mcp-parts/test/released-project.json', import.meta.url),
);

const folder = await mkdtemp(join(await realpath(tmpdir()), 'mcp-parts-project-'));
const options = { transport: 'both', auth: 'keycloak', audit: true, tasks: true, redis: true } as const;
await createProject(folder, { name: 'desk', ...options });
await addPart(folder, 'tool', 'assign_ticket');
await addPart(folder, 'resource', 'room');
await addPart(folder, 'prompt', 'weekly_report');
await addPart(folder, 'backend', 'parking_lots');

const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
const files = await Promise.all(
  paths
    .toSorted()
    .map(async (path) => [
      relative(folder, path).replaceAll(sep, '/'),
      (await readFile(path, 'utf8')).trimEnd().split('\n'),
    ]),
);
await writeFile(record, `${JSON.stringify(Object.fromEntries(files), null, 2)}\n`);
await rm(folder, { recursive: true });
