import type { Operation } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import type { AuditEntry, AuditIntent, AuditOutcome, Task } from '../ports.ts';
import type { StoredCall } from './stored-call.ts';
import { resultOfTask } from './task-result.ts';

/**
 * Writes down how a call ended that ran as a task: once in the trail, as the outcome of the intent with which it began,
 * and once in the metrics. Rejects when the trail cannot record it; it is asked again then.
 */
export async function endCall(
  task: Task,
  call: StoredCall,
  operation: Pick<Operation, 'name' | 'readOnly'>,
  { audit, openEntries, telemetry, logger }: ResolvedPipelineOptions,
): Promise<void> {
  const { intent, reference, method, era, transport, startedAt, correlationId, confirmationId } = call;
  const endedAfterMs = Math.max(0, Date.now() - startedAt);
  const outcome = { ...outcomeOf(task, operation), durationMs: endedAfterMs, confirmationId };
  if (intent !== undefined) {
    await (await entryOf(intent)).finish(outcome);
    openEntries.delete(task.id);
  }
  try {
    const { result, reason, durationMs } = outcome;
    telemetry.recordCall({ method, target: operation.name, era, transport, result, reason, durationMs });
  } catch (error) {
    logger.error({ err: error, correlationId }, 'call not measured');
  }

  async function entryOf(intent: AuditIntent): Promise<AuditEntry> {
    const known = openEntries.get(task.id);
    if (known !== undefined) {
      return known;
    }
    // A trail that cannot find an intent again gets another, of the same call.
    const opened =
      reference !== undefined && audit.resume !== undefined
        ? audit.resume(reference, intent)
        : await audit.begin(intent);
    openEntries.set(task.id, opened);
    return opened;
  }
}

function outcomeOf(task: Task, { readOnly }: Pick<Operation, 'readOnly'>): Omit<AuditOutcome, 'durationMs'> {
  const result = resultOfTask(task);
  if (result !== undefined) {
    return result.outcome;
  }
  // What never ran did nothing.
  const isUncertain = task.attempt > 0 && !readOnly && task.error?.code === 'interrupted';
  return {
    result: isUncertain ? 'unknown' : 'failure',
    reason: task.error?.code ?? 'cancelled',
  };
}
