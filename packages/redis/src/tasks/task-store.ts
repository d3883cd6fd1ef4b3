import {
  recordText,
  type EndedRecord,
  type JsonObject,
  type JsonValue,
  type QueuedRecord,
  type RunningRecord,
  type TaskRecord,
  type TaskStore,
} from '@mcp-parts/tasks';
import type { Redis } from 'ioredis';

import type { Connection } from '../connection/connection.ts';
import type { Script } from '../connection/script.ts';
import { fieldsOf, readFields, SHOWN } from './task-fields.ts';
import { idempotencyName, ownerKey } from './task-keys.ts';
import { taskScripts } from './task-scripts.ts';

const BATCH = 100;

/**
 * Keeps tasks in Redis for the workers of all replicas. Fails while Redis is gone: nothing is started then, what runs goes
 * on, and its end is stored when Redis is back.
 */
export function createRedisTaskStore(connection: Connection): TaskStore {
  const prefix = `${connection.prefix}tasks:`;
  const name = (rest: string) => `${prefix}${rest}`;
  const step = (script: Script, ...values: (string | number)[]) =>
    connection.run((client) => script.run(client, [prefix], values));
  const listeners = new Set<() => void>();
  let subscriber: Redis | undefined;

  async function readAll(ids: readonly string[]): Promise<TaskRecord[]> {
    if (ids.length === 0) {
      return [];
    }
    const rows = await connection.run((client) =>
      Promise.all(ids.map((id) => client.hmget(name(`task:${id}`), ...SHOWN))),
    );
    return rows.flatMap((row) => readFields(row) ?? []);
  }
  const members = (set: string) => connection.run((client) => client.zrange(name(set), '0', '-1'));

  async function find(id: string): Promise<TaskRecord | undefined> {
    const [record] = await readAll([id]);
    return record;
  }
  async function input(id: string): Promise<JsonObject | undefined> {
    const text = await connection.run((client) => client.hget(name(`task:${id}`), 'input'));
    return text === null ? undefined : (JSON.parse(text) as JsonObject);
  }

  return {
    async insert(record, given, { maxQueued }) {
      const { id, kind, ownerId, idempotencyKey } = record;
      const answer = await step(
        taskScripts.insert,
        id,
        ownerKey(ownerId),
        idempotencyName(ownerId, kind, idempotencyKey),
        maxQueued,
        record.createdAt,
        recordText(record),
        JSON.stringify(record.progress),
        JSON.stringify(given),
        kind,
        record.updatedAt,
      );
      return answer === 1
        ? { inserted: true }
        : { inserted: false, existing: typeof answer === 'string' ? await find(answer) : undefined };
    },
    find,
    input,
    async list(ownerId, { after, limit }) {
      const key = name(`owner:${ownerKey(ownerId)}`);
      const ids = await connection.run(async (client) => {
        const before = after === undefined ? null : await client.zscore(key, after);
        const from = after === undefined ? '+inf' : `(${before ?? '-inf'}`;
        return client.zrevrangebyscore(key, from, '-inf', 'LIMIT', 0, limit);
      });
      return readAll(ids);
    },
    async claim({ workerId, kinds, maxRunning, at }) {
      const id =
        kinds.length === 0 ? null : await step(taskScripts.claim, workerId, maxRunning, at, ...kinds);
      if (typeof id !== 'string') {
        return undefined;
      }
      const [record, given] = await Promise.all([find(id), input(id)]);
      // Taken, and already in other hands: a worker that was so slow is no longer believed to live.
      return record?.state === 'running' && record.workerId === workerId && given !== undefined
        ? { record, input: given }
        : undefined;
    },
    async replace(previous, next) {
      const values = [previous.id, previous.revision, ...fieldsOf(next)];
      return (await step(taskScripts.replace, ...values)) === 1;
    },
    async report(id, attempt, progress, at) {
      return (await step(taskScripts.report, id, attempt, JSON.stringify(progress), at)) === 1;
    },
    async saveStep(id, attempt, stepName, result) {
      return (await step(taskScripts.saveStep, id, attempt, stepName, JSON.stringify(result))) === 1;
    },
    async steps(id) {
      const stored = await connection.run((client) => client.hgetall(name(`steps:${id}`)));
      return new Map(Object.entries(stored).map(([key, text]) => [key, JSON.parse(text) as JsonValue]));
    },
    // The sets hold no others; one that changed in between is looked at in the next round.
    async running() {
      const records = await readAll(await members('running'));
      return records.filter((record): record is RunningRecord => record.state === 'running');
    },
    async waiting(createdBefore, limit) {
      const ids = await connection.run((client) =>
        client.zrangebyscore(name('first'), '-inf', `(${createdBefore}`, 'LIMIT', 0, limit),
      );
      const records = await readAll(ids);
      return records.filter((record): record is QueuedRecord => record.state === 'queued');
    },
    async unsettled() {
      const records = await readAll(await members('unsettled'));
      return records.filter(
        (record): record is EndedRecord => record.state !== 'queued' && record.state !== 'running',
      );
    },
    async beat(workerId) {
      await connection.run((client) => client.hincrby(name('beats'), workerId, 1));
    },
    async beats() {
      const beats = await connection.run((client) => client.hgetall(name('beats')));
      return new Map(Object.entries(beats).map(([id, beat]) => [id, Number(beat)]));
    },
    async removeWorkers(workerIds) {
      if (workerIds.length > 0) {
        await connection.run((client) => client.hdel(name('beats'), ...workerIds));
      }
    },
    async grow(at, elapsedMs) {
      return Number(await step(taskScripts.grow, Math.round(at), Math.round(elapsedMs)));
    },
    async removeEnded(age) {
      // A step at a time, so that others get their turn between.
      let removed = BATCH;
      while (removed === BATCH) {
        removed = Number(await step(taskScripts.removeEnded, Math.round(age), BATCH));
      }
    },
    subscribe(listener) {
      subscriber ??= listen(connection, name('changed'), () => listeners.forEach((tell) => tell()));
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      listeners.clear();
      subscriber?.disconnect();
    },
  };
}

/** On a connection of its own; what is said while it is lost is looked for by the engine, which asks each second. */
function listen(connection: Connection, channel: string, onMessage: () => void): Redis {
  const client = connection.open({});
  client.on('message', onMessage);
  client.on('ready', () => {
    client.subscribe(channel).catch(() => undefined);
  });
  return client;
}
