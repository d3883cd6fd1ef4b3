import { setTimeout as delay } from 'node:timers/promises';

import { isUnavailable, TaskError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { QueuedRecord } from '../store/task-record.ts';
import type { Insertion, TaskStore } from '../store/task-store.ts';

/** Somebody waits for it. */
const PAUSES_MS = [50, 100, 200, 400, 800];

/**
 * Stores a new task. A store that did not say whether it has done so is asked again, which is no second task: else somebody
 * would be told that nothing was started, and start it once more.
 *
 * @throws {TaskError} `start_unknown`
 */
export async function insertSurely(
  store: TaskStore,
  record: QueuedRecord,
  input: JsonObject,
  limits: Parameters<TaskStore['insert']>[2],
): Promise<Insertion> {
  let doubt: unknown;
  for (const pauseMs of [0, ...PAUSES_MS]) {
    try {
      if (pauseMs > 0) {
        await delay(pauseMs);
      }
      return await store.insert(record, input, limits);
    } catch (error) {
      doubt ??= mayBeDone(error) ? error : undefined;
      if (doubt === undefined || !isUnavailable(error)) {
        throw error;
      }
    }
  }
  throw new TaskError('start_unknown', record.id, { cause: doubt });
}

function mayBeDone(error: unknown): boolean {
  return isUnavailable(error) && (error as { readonly mayBeDone?: unknown }).mayBeDone === true;
}
