import { z } from 'zod';

import type { JsonObject } from '../json.ts';

const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** How far a task is: percent from 0 to 100 and one line for people. */
const progress = z.object({ percent: z.number(), message: z.string() });

const fields = {
  /** A random UUID. */
  id: z.string(),
  kind: z.string(),
  ownerId: z.string(),
  idempotencyKey: z.string().optional(),
  /** What is being done, in a few words. */
  label: z.string().optional(),
  /** Of the input, to recognise a key that is used for something else. */
  inputDigest: z.string(),
  /** Grows with every change but progress: two who change a task at once do not both succeed. */
  revision: z.number(),
  /** Number of the last run, 0 before the first. Fences off the outcome of an earlier run. */
  attempt: z.number(),
  /** How often a run ended with its process. */
  interruptions: z.number(),
  progress,
  /** What was asked while it ran, by key, with the answers that are there. */
  questions: z.record(z.string(), z.object({ question: jsonObject, answer: jsonObject.optional() })),
  /** Set when its owner asked for the end. */
  cancel: z.object({ reason: z.string().optional() }).optional(),
  /** In milliseconds since the Unix epoch. */
  createdAt: z.number(),
  updatedAt: z.number(),
};

const ended = {
  ...fields,
  /** The age of the store at the end; see `TaskStore.grow`. */
  endedAge: z.number(),
  /** The worker that ended it, and first in turn to settle it. */
  workerId: z.string(),
  /** Whether whoever follows the end of a task has been told. */
  isSettled: z.boolean(),
};

const recordSchema = z.discriminatedUnion('state', [
  z.object({ ...fields, state: z.literal('queued') }),
  z.object({ ...fields, state: z.literal('running'), workerId: z.string() }),
  z.object({ ...ended, state: z.literal('completed'), result: jsonObject }),
  z.object({
    ...ended,
    state: z.literal('failed'),
    error: z.object({ code: z.string(), message: z.string() }),
  }),
  z.object({ ...ended, state: z.literal('cancelled') }),
]);

/** A task as it is stored, without its input, which never changes and may be large. */
export type TaskRecord = z.infer<typeof recordSchema>;
/** A task that waits for a worker. */
export type QueuedRecord = TaskRecord & { readonly state: 'queued' };
/** A task whose handler runs, or ran when its process died. */
export type RunningRecord = TaskRecord & { readonly state: 'running' };
/** A task that changes no more, but for whether its end is settled. */
export type EndedRecord = Exclude<TaskRecord, { readonly state: 'queued' | 'running' }>;

/** Reads a record that {@link recordText} wrote. @throws {z.ZodError} for anything else */
export function parseRecord(text: string): TaskRecord {
  return recordSchema.parse(JSON.parse(text));
}

/** The record as a store keeps it. */
export function recordText(record: TaskRecord): string {
  return JSON.stringify(record);
}

/** Reads an input as a store keeps it, which is JSON text. @throws {z.ZodError} for anything else */
export function parseInputText(text: string): JsonObject {
  return jsonObject.parse(JSON.parse(text));
}

/** Whether a task is over. */
export function isEnded(record: TaskRecord): record is EndedRecord {
  return record.state !== 'queued' && record.state !== 'running';
}
