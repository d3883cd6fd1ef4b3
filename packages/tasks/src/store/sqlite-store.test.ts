import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, it } from 'vitest';

import { taskStoreContract, type TaskStoreHarness } from '../testing.ts';
import { openSqliteStore } from './sqlite-store.ts';

async function openPair(): Promise<TaskStoreHarness & { readonly path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'task-store-'));
  const path = join(folder, 'nested', 'tasks.db');
  const store = openSqliteStore(path);
  const other = openSqliteStore(path);
  return {
    path,
    store,
    other,
    async [Symbol.asyncDispose]() {
      await Promise.all([store.close(), other.close()]);
      rmSync(folder, { recursive: true });
    },
  };
}

describe('a file that two processes share', () => {
  it.each(taskStoreContract(openPair))('$name', ({ check }) => expect(check()).resolves.toBeUndefined());
});

describe('a store in memory', () => {
  const open = async (): Promise<TaskStoreHarness> => {
    const store = openSqliteStore(':memory:');
    return { store, [Symbol.asyncDispose]: () => store.close() };
  };
  it.each(taskStoreContract(open))('$name', ({ check }) => expect(check()).resolves.toBeUndefined());
});

it.skipIf(process.platform === 'win32')('is readable by its user only', async () => {
  await using pair = await openPair();
  expect(statSync(pair.path).mode & 0o077).toBe(0);
});

it('refuses a file that another version wrote', async () => {
  await using pair = await openPair();
  await pair.store.close();
  await pair.other?.close();
  using database = new DatabaseSync(pair.path);
  database.exec('PRAGMA user_version = 99');
  expect(() => openSqliteStore(pair.path)).toThrow(expect.objectContaining({ code: 'unsupported_store' }));
});
