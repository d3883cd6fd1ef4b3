import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { z } from 'zod';

import { TaskError } from './errors.ts';
import { acquireProcessLock } from './process-lock.ts';
import type { QueuedTask, RunningTask, StoredTask } from './task.ts';

/** Where tasks live. Every write is durable when the call returns. */
export interface TaskStore {
  readonly insert: (task: QueuedTask) => void;
  readonly find: (id: string) => StoredTask | undefined;
  readonly findByKey: (ownerId: string, kind: string, idempotencyKey: string) => StoredTask | undefined;
  /** The queued task that waits longest. */
  readonly nextQueued: () => StoredTask | undefined;
  readonly listRunning: () => StoredTask[];
  /** Stores `next` if the task is still in the state and attempt of `previous`; says whether it was. */
  readonly replace: (previous: StoredTask, next: StoredTask) => boolean;
  /** Removes tasks that ended before `instant` (in milliseconds since the Unix epoch). */
  readonly removeEndedBefore: (instant: number) => void;
  readonly close: () => void;
}

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE tasks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    idempotency_key TEXT,
    input TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    progress TEXT NOT NULL,
    result TEXT,
    error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX tasks_by_key ON tasks (owner_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX tasks_by_state ON tasks (state, sequence);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Opens the store in `path` (a file, created with its directory for this user only, or `:memory:`).
 *
 * @throws {TaskError} `locked`, `unsupported_store`
 */
export function openSqliteStore(path: string): TaskStore {
  const lock = path === ':memory:' ? undefined : lockFile(path);
  try {
    return createStore(openDatabase(path), lock);
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}

function lockFile(path: string): Disposable {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Inputs may be confidential. SQLite gives its other files the mode of this one.
  closeSync(openSync(path, 'a', 0o600));
  return acquireProcessLock(`${path}.lock`);
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  // FULL: with NORMAL, a write-ahead log may lose its last commits when the machine loses power.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const version = z.object({ user_version: z.number() }).parse(database.prepare('PRAGMA user_version').get());
  if (version.user_version === 0) {
    database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
  }
  if (version.user_version > SCHEMA_VERSION) {
    database.close();
    throw new TaskError('unsupported_store', `schema ${version.user_version} in ${path}`);
  }
  return database;
}

function createStore(database: DatabaseSync, lock: Disposable | undefined): TaskStore {
  const insert = database.prepare(
    `INSERT INTO tasks (id, kind, owner_id, idempotency_key, input, state, attempt, progress, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const find = database.prepare('SELECT * FROM tasks WHERE id = ?');
  const findByKey = database.prepare(
    'SELECT * FROM tasks WHERE owner_id = ? AND kind = ? AND idempotency_key = ?',
  );
  const nextQueued = database.prepare(`SELECT * FROM tasks WHERE state = 'queued' ORDER BY sequence LIMIT 1`);
  const listRunning = database.prepare(`SELECT * FROM tasks WHERE state = 'running' ORDER BY sequence`);
  const replace = database.prepare(
    `UPDATE tasks SET state = ?, attempt = ?, cancel_requested = ?, progress = ?, result = ?, error = ?, updated_at = ?
     WHERE id = ? AND state = ? AND attempt = ?`,
  );
  const removeEndedBefore = database.prepare(
    `DELETE FROM tasks WHERE state IN ('completed', 'failed', 'cancelled') AND updated_at < ?`,
  );

  return {
    insert(task) {
      insert.run(
        task.id,
        task.kind,
        task.ownerId,
        task.idempotencyKey ?? null,
        JSON.stringify(task.input),
        task.state,
        task.attempt,
        JSON.stringify(task.progress),
        task.createdAt,
        task.updatedAt,
      );
    },
    find: (id) => readOptional(find.get(id)),
    findByKey: (ownerId, kind, idempotencyKey) => readOptional(findByKey.get(ownerId, kind, idempotencyKey)),
    nextQueued: () => readOptional(nextQueued.get()),
    listRunning: () => listRunning.all().map(readTask),
    replace(previous, next) {
      const { changes } = replace.run(
        next.state,
        next.attempt,
        next.state === 'running' && next.cancelRequested ? 1 : 0,
        JSON.stringify(next.progress),
        next.state === 'completed' ? JSON.stringify(next.result) : null,
        next.state === 'failed' ? JSON.stringify(next.error) : null,
        next.updatedAt,
        previous.id,
        previous.state,
        previous.attempt,
      );
      return Number(changes) === 1;
    },
    removeEndedBefore(instant) {
      removeEndedBefore.run(instant);
    },
    close() {
      database.close();
      lock?.[Symbol.dispose]();
    },
  };
}

const jsonText = z.string().transform((text): unknown => JSON.parse(text));
const jsonObject = jsonText.pipe(z.record(z.string(), z.json()));
const fields = {
  id: z.string(),
  kind: z.string(),
  owner_id: z.string(),
  idempotency_key: z.string().nullable(),
  input: jsonObject,
  attempt: z.number(),
  progress: jsonText.pipe(z.object({ percent: z.number(), message: z.string() })),
  created_at: z.number(),
  updated_at: z.number(),
};
const row = z.discriminatedUnion('state', [
  z.object({ ...fields, state: z.literal('queued') }),
  z.object({ ...fields, state: z.literal('running'), cancel_requested: z.number() }),
  z.object({ ...fields, state: z.literal('completed'), result: jsonObject }),
  z.object({
    ...fields,
    state: z.literal('failed'),
    error: jsonText.pipe(z.object({ code: z.string(), message: z.string() })),
  }),
  z.object({ ...fields, state: z.literal('cancelled') }),
]);

function readOptional(found: unknown): StoredTask | undefined {
  return found === undefined ? undefined : readTask(found);
}

function readTask(found: unknown): StoredTask {
  const stored = row.parse(found);
  const shared = {
    id: stored.id,
    kind: stored.kind,
    ownerId: stored.owner_id,
    idempotencyKey: stored.idempotency_key ?? undefined,
    input: stored.input,
    progress: stored.progress,
    attempt: stored.attempt,
    createdAt: stored.created_at,
    updatedAt: stored.updated_at,
  };
  switch (stored.state) {
    case 'queued':
    case 'cancelled':
      return { ...shared, state: stored.state };
    case 'running':
      return {
        ...shared,
        state: 'running',
        cancelRequested: stored.cancel_requested === 1,
      } satisfies RunningTask;
    case 'completed':
      return { ...shared, state: 'completed', result: stored.result };
    case 'failed':
      return { ...shared, state: 'failed', error: stored.error };
    default:
      return stored satisfies never;
  }
}
