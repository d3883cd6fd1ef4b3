import { openSqliteStore, type RunningRecord } from '@mcp-parts/tasks';
import { expect, it } from 'vitest';

import { assembleServer } from '../assemble.ts';
import { readConsoleState } from './read-state.ts';

const silent = () => undefined;
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent };
const record: RunningRecord = {
  id: 'secret-id',
  kind: 'deploy',
  ownerId: 'secret-owner',
  inputDigest: 'digest',
  revision: 1,
  attempt: 2,
  interruptions: 1,
  progress: { percent: 40, message: 'x'.repeat(1_000) },
  questions: {},
  createdAt: 0,
  updatedAt: 0,
  state: 'running',
  workerId: 'secret-worker',
};

/** A server whose store of tasks answers as the test says, once the server is there. */
async function openServer() {
  const sqlite = openSqliteStore(':memory:');
  const store = { running: sqlite.running };
  const server = await assembleServer({
    serverInfo: { name: 'console', version: '1' },
    definitions: {},
    logger,
    ports: {
      audit: { begin: async () => ({ finish: async () => undefined }) },
      taskStore: { ...sqlite, running: () => store.running() },
    },
  });
  const read = () => readConsoleState(server, { isClosing: false, isSignedIn: false });
  return { server, read, answer: (running: typeof sqlite.running) => void (store.running = running), sqlite };
}

it('shows twenty running tasks at most, the beginning of what they say and not whose they are', async () => {
  const { server, read, answer, sqlite } = await openServer();
  await using _ = server;
  answer(async () => Array.from({ length: 50 }, () => record));
  const { tasks } = await read();
  answer(sqlite.running);
  expect(tasks).toHaveLength(20);
  expect(tasks?.[0]).toMatchObject({
    tool: 'deploy',
    attempt: 2,
    percent: 40,
    message: `${'x'.repeat(120)}…`,
  });
  expect(JSON.stringify(tasks)).not.toContain('secret');
});

it('shows everything else when the store of tasks does not answer', async () => {
  const { server, read, answer, sqlite } = await openServer();
  await using _ = server;
  answer(() => Promise.reject(new Error('no')));
  expect(await read()).toMatchObject({ status: 'ready', tasks: 'unreadable' });
  const late = Promise.withResolvers<readonly RunningRecord[]>();
  answer(() => late.promise);
  expect(await read()).toMatchObject({ status: 'ready', tasks: 'unreadable' });
  answer(sqlite.running);
  late.resolve([]);
  expect(await read()).toMatchObject({ tasks: [] });
});
