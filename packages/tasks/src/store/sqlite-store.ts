import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { z } from 'zod';

import { TaskError } from '../errors.ts';
import { sqliteStatements } from './sqlite-statements.ts';
import {
  isEnded,
  parseInputText,
  parseRecord,
  recordText,
  type EndedRecord,
  type QueuedRecord,
  type RunningRecord,
  type TaskRecord,
} from './task-record.ts';
import type { TaskStore } from './task-store.ts';

const SCHEMA_VERSION = 2;
const SCHEMA = `
  CREATE TABLE tasks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    idempotency_key TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_age INTEGER,
    is_settled INTEGER NOT NULL,
    progress TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX tasks_by_key ON tasks (owner_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX tasks_by_state ON tasks (state, owner_id, sequence);
  CREATE INDEX tasks_by_owner ON tasks (owner_id, sequence);
  CREATE INDEX tasks_ended ON tasks (ended_age) WHERE ended_age IS NOT NULL;
  CREATE INDEX tasks_unsettled ON tasks (sequence) WHERE is_settled = 0 AND ended_age IS NOT NULL;
  CREATE TABLE inputs (task_id TEXT PRIMARY KEY, input TEXT NOT NULL) STRICT;
  CREATE TABLE steps (task_id TEXT NOT NULL, name TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (task_id, name)) STRICT;
  CREATE TABLE turns (owner_id TEXT PRIMARY KEY, turn INTEGER NOT NULL) STRICT;
  CREATE TABLE workers (id TEXT PRIMARY KEY, beat INTEGER NOT NULL) STRICT;
  CREATE TABLE age (id INTEGER PRIMARY KEY CHECK (id = 1), age INTEGER NOT NULL, grown_at INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** How long a write waits for another process to end its own. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens the store in `path`: a file on a local disk, created with its directory for this user only, which any number of
 * processes may share; or `:memory:`.
 *
 * @throws {TaskError} `unsupported_store`
 * @throws {Error} where something else than a regular file has the path
 */
export function openSqliteStore(path: string): TaskStore {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      // Whoever opens a pipe waits for its other end, and everything else with it.
      throw new Error(`${path} is not a regular file`);
    }
    // Inputs may be confidential. SQLite gives its other files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
  }
  return createStore(openDatabase(path));
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // FULL: with NORMAL, a write-ahead log may lose its last commits when the machine loses power.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const version = transaction(database, () => {
      const { user_version } = z
        .object({ user_version: z.number() })
        .parse(database.prepare('PRAGMA user_version').get());
      if (user_version === 0) {
        database.exec(SCHEMA);
      }
      return user_version === 0 ? SCHEMA_VERSION : user_version;
    });
    if (version !== SCHEMA_VERSION) {
      throw new TaskError('unsupported_store', `schema ${version} in ${path}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs as one step among all processes. */
function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has rolled back already.
    if (database.isTransaction) {
      database.exec('ROLLBACK');
    }
    throw error;
  }
}

function createStore(database: DatabaseSync): TaskStore {
  const sql = sqliteStatements(database);
  const all = (rows: readonly unknown[]) => rows.map(readRow);

  return {
    async insert(record, input, { maxQueued }) {
      return transaction(database, () => {
        const { id, kind, ownerId, idempotencyKey } = record;
        const same = sql.find.get(id);
        if (same !== undefined) {
          return { inserted: false, existing: readRow(same) };
        }
        if (idempotencyKey !== undefined) {
          const existing = sql.findByKey.get(ownerId, kind, idempotencyKey);
          if (existing !== undefined) {
            return { inserted: false, existing: readRow(existing) };
          }
        }
        const { count } = z.object({ count: z.number() }).parse(sql.countQueued.get(ownerId));
        if (count >= maxQueued) {
          return { inserted: false };
        }
        sql.insert.run(
          id,
          kind,
          ownerId,
          idempotencyKey ?? null,
          record.state,
          record.attempt,
          record.revision,
          record.createdAt,
          JSON.stringify(record.progress),
          record.updatedAt,
          recordText(record),
        );
        sql.insertInput.run(id, JSON.stringify(input));
        return { inserted: true };
      });
    },

    async find(id) {
      const row = sql.find.get(id);
      return row === undefined ? undefined : readRow(row);
    },

    async input(id) {
      const row = sql.input.get(id);
      return row === undefined ? undefined : parseInputText(inputRow.parse(row).input);
    },

    async list(ownerId, { after, limit }) {
      return all(after === undefined ? sql.newest.all(ownerId, limit) : sql.older.all(ownerId, after, limit));
    },

    async claim({ workerId, kinds, maxRunning, at }) {
      // Without a lock where there is nothing to take, which is most of the time.
      if (kinds.length === 0 || sql.anyQueued.get() === undefined) {
        return undefined;
      }
      return transaction(database, () => {
        const row = sql.next.get(JSON.stringify(kinds), maxRunning);
        if (row === undefined) {
          return undefined;
        }
        // The query finds nothing else.
        const queued = readRow(row) as QueuedRecord;
        const record: RunningRecord = {
          ...queued,
          state: 'running',
          attempt: queued.attempt + 1,
          revision: queued.revision + 1,
          workerId,
          updatedAt: at,
        };
        write(record, queued);
        sql.takeTurn.run(queued.ownerId);
        return { record, input: parseInputText(inputRow.parse(sql.input.get(queued.id)).input) };
      });
    },

    async replace(previous, next) {
      return write(next, previous);
    },

    async report(id, attempt, progress, at) {
      return sql.report.run(JSON.stringify(progress), at, id, attempt).changes === 1;
    },

    async saveStep(id, attempt, name, result) {
      return sql.saveStep.run(name, JSON.stringify(result), id, attempt).changes === 1;
    },

    async steps(id) {
      return new Map(sql.steps.all(id).map((row) => [stepRow.parse(row).name, readStep(row)]));
    },

    // The queries of these three find nothing else.
    running: async () => all(sql.running.all()) as RunningRecord[],
    waiting: async (createdBefore, limit) => all(sql.waiting.all(createdBefore, limit)) as QueuedRecord[],
    unsettled: async () => all(sql.unsettled.all()) as EndedRecord[],

    async beat(workerId) {
      sql.beat.run(workerId);
    },
    async beats() {
      return new Map(
        sql.beats
          .all()
          .map((row) => workerRow.parse(row))
          .map(({ id, beat }) => [id, beat]),
      );
    },
    async removeWorkers(workerIds) {
      if (workerIds.length > 0) {
        sql.removeWorkers.run(JSON.stringify(workerIds));
      }
    },

    async grow(at, elapsedMs) {
      const { age } = z.object({ age: z.number() }).parse(sql.grow.get(at, elapsedMs));
      return age;
    },

    async removeEnded(age) {
      transaction(database, () => {
        sql.removeInputs.run(age);
        sql.removeSteps.run(age);
        sql.removeEnded.run(age);
        sql.removeTurns.run();
      });
    },

    async close() {
      if (database.isOpen) {
        database.close();
      }
    },
  };

  function write(next: TaskRecord, previous: TaskRecord): boolean {
    const { changes } = sql.replace.run(
      next.state,
      next.attempt,
      next.revision,
      isEnded(next) ? Math.round(next.endedAge) : null,
      isEnded(next) && next.isSettled ? 1 : 0,
      JSON.stringify(next.progress),
      next.updatedAt,
      recordText(next),
      previous.id,
      previous.revision,
    );
    return changes === 1;
  }
}

const inputRow = z.object({ input: z.string() });
const workerRow = z.object({ id: z.string(), beat: z.number() });
const stepRow = z.object({ name: z.string(), result: z.string() });
const taskRow = z.object({
  record: z.string(),
  progress: z.string().transform((text): unknown => JSON.parse(text)),
  reported_at: z.number(),
});

/** Progress is reported beside the record, so that a report does not have to write all of it. */
function readRow(row: unknown): TaskRecord {
  const { record: text, progress, reported_at } = taskRow.parse(row);
  const record = parseRecord(text);
  const shown = z.object({ percent: z.number(), message: z.string() }).parse(progress);
  return { ...record, progress: shown, updatedAt: Math.max(record.updatedAt, reported_at) };
}

function readStep(row: unknown) {
  return z.json().parse(JSON.parse(stepRow.parse(row).result));
}
