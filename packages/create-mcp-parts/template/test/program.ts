import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a file of this project. */
export const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** A directory for the audit trail, removed at the end. */
export async function stateDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'my-server-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Settings of the backends, for tests that start the program and ask no backend. */
export const backendEnvironment: Readonly<Record<string, string>> = {};
