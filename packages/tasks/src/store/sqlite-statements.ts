import type { DatabaseSync } from 'node:sqlite';

const TASK = 'tasks.record, tasks.progress, tasks.reported_at';

/** Every statement of the store, prepared once. */
export function sqliteStatements(database: DatabaseSync) {
  const prepare = (text: string) => database.prepare(text);
  return {
    insert: prepare(
      `INSERT INTO tasks (id, kind, owner_id, idempotency_key, state, attempt, revision, created_at, is_settled, progress, reported_at, record)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
    ),
    insertInput: prepare('INSERT INTO inputs (task_id, input) VALUES (?, ?)'),
    input: prepare('SELECT input FROM inputs WHERE task_id = ?'),
    find: prepare(`SELECT ${TASK} FROM tasks WHERE id = ?`),
    findByKey: prepare(`SELECT ${TASK} FROM tasks WHERE owner_id = ? AND kind = ? AND idempotency_key = ?`),
    countQueued: prepare(`SELECT COUNT(*) AS count FROM tasks WHERE state = 'queued' AND owner_id = ?`),
    newest: prepare(`SELECT ${TASK} FROM tasks WHERE owner_id = ? ORDER BY sequence DESC LIMIT ?`),
    older: prepare(
      `SELECT ${TASK} FROM tasks WHERE owner_id = ? AND sequence < (SELECT sequence FROM tasks WHERE id = ?)
       ORDER BY sequence DESC LIMIT ?`,
    ),
    anyQueued: prepare(`SELECT 1 FROM tasks WHERE state = 'queued' LIMIT 1`),
    next: prepare(
      `SELECT ${TASK} FROM tasks
       LEFT JOIN (SELECT owner_id, COUNT(*) AS count FROM tasks WHERE state = 'running' GROUP BY owner_id) AS busy
         ON busy.owner_id = tasks.owner_id
       LEFT JOIN turns ON turns.owner_id = tasks.owner_id
       WHERE tasks.state = 'queued' AND tasks.kind IN (SELECT value FROM json_each(?)) AND COALESCE(busy.count, 0) < ?
       ORDER BY COALESCE(busy.count, 0), COALESCE(turns.turn, 0), tasks.sequence LIMIT 1`,
    ),
    takeTurn: prepare(
      `INSERT INTO turns (owner_id, turn) VALUES (?, (SELECT COALESCE(MAX(turn), 0) + 1 FROM turns))
       ON CONFLICT (owner_id) DO UPDATE SET turn = excluded.turn`,
    ),
    replace: prepare(
      `UPDATE tasks SET state = ?, attempt = ?, revision = ?, ended_age = ?, is_settled = ?, progress = ?, reported_at = ?, record = ?
       WHERE id = ? AND revision = ?`,
    ),
    report: prepare(
      `UPDATE tasks SET progress = ?, reported_at = ? WHERE id = ? AND attempt = ? AND state = 'running'`,
    ),
    saveStep: prepare(
      `INSERT OR REPLACE INTO steps (task_id, name, result)
       SELECT id, ?, ? FROM tasks WHERE id = ? AND attempt = ? AND state = 'running'`,
    ),
    steps: prepare('SELECT name, result FROM steps WHERE task_id = ?'),
    running: prepare(`SELECT ${TASK} FROM tasks WHERE state = 'running' ORDER BY sequence`),
    waiting: prepare(
      `SELECT ${TASK} FROM tasks WHERE state = 'queued' AND attempt = 0 AND created_at < ? ORDER BY sequence LIMIT ?`,
    ),
    unsettled: prepare(
      `SELECT ${TASK} FROM tasks WHERE is_settled = 0 AND ended_age IS NOT NULL ORDER BY sequence`,
    ),
    beat: prepare(
      'INSERT INTO workers (id, beat) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET beat = beat + 1',
    ),
    beats: prepare('SELECT id, beat FROM workers'),
    removeWorkers: prepare('DELETE FROM workers WHERE id IN (SELECT value FROM json_each(?))'),
    grow: prepare(
      `INSERT INTO age (id, age, grown_at) VALUES (1, 0, ?)
       ON CONFLICT (id) DO UPDATE SET age = age + MAX(0, MIN(?, excluded.grown_at - grown_at)), grown_at = excluded.grown_at
       RETURNING age`,
    ),
    removeInputs: prepare(
      'DELETE FROM inputs WHERE task_id IN (SELECT id FROM tasks WHERE is_settled = 1 AND ended_age < ?)',
    ),
    removeSteps: prepare(
      'DELETE FROM steps WHERE task_id IN (SELECT id FROM tasks WHERE is_settled = 1 AND ended_age < ?)',
    ),
    removeEnded: prepare('DELETE FROM tasks WHERE is_settled = 1 AND ended_age < ?'),
    removeTurns: prepare('DELETE FROM turns WHERE owner_id NOT IN (SELECT owner_id FROM tasks)'),
  };
}
