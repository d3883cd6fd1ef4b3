import { isEnded, parseRecord, recordText, type TaskRecord } from '@mcp-parts/tasks';

/** What of a task is read to show it, in this order. */
export const SHOWN = [
  'record',
  'state',
  'attempt',
  'revision',
  'workerId',
  'progress',
  'reportedAt',
  'changedAt',
] as const;

/** A record from its fields: what a claim or a report changed stands beside the text. `undefined`: there is none. */
export function readFields(fields: readonly (string | null)[]): TaskRecord | undefined {
  const [record, state, attempt, revision, workerId, progress, reportedAt, changedAt] = fields;
  if (typeof record !== 'string') {
    return undefined;
  }
  const { workerId: _, ...rest } = JSON.parse(record) as Record<string, unknown>;
  return parseRecord(
    JSON.stringify({
      ...rest,
      state,
      attempt: Number(attempt),
      revision: Number(revision),
      progress: JSON.parse(progress ?? '') as unknown,
      updatedAt: Math.max(Number(changedAt), Number(reportedAt)),
      ...(workerId !== '' && { workerId }),
    }),
  );
}

/** What `replace` writes of a record, in its order. */
export function fieldsOf(record: TaskRecord): readonly (string | number)[] {
  return [
    record.state,
    record.attempt,
    record.revision,
    recordText(record),
    JSON.stringify(record.progress),
    record.updatedAt,
    'workerId' in record ? record.workerId : '',
    isEnded(record) ? Math.round(record.endedAge) : '',
    isEnded(record) && record.isSettled ? '1' : '0',
  ];
}
