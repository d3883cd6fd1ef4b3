import type { Operation } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { leaveRunPlaces } from '../limits/run-places.ts';
import type { Task } from '../ports.ts';
import type { StoredCall } from './stored-call.ts';
import { outcomeOfTask } from './task-result.ts';

/**
 * Writes down how a call ended that ran as a task: once in the trail, as the outcome of the intent that this process has
 * of it, and once in the metrics. Rejects when the trail cannot record it; it is asked again then.
 */
export async function endCall(
  task: Task,
  call: StoredCall,
  operation: Pick<Operation, 'name' | 'readOnly' | 'limit'>,
  { taskEntries, telemetry, limiter, logger }: ResolvedPipelineOptions,
): Promise<void> {
  const { intent, method, era, transport, startedAt, correlationId, confirmationId } = call;
  const run = { tool: operation, callerId: call.caller.id, id: call.runId ?? task.id };
  void leaveRunPlaces(limiter, run, logger);
  const endedAfterMs = Math.max(0, Date.now() - startedAt);
  const outcome = { ...outcomeOfTask(task, operation), durationMs: endedAfterMs, confirmationId };
  if (intent !== undefined) {
    // None: it is recorded, or is for the trail of the process that has the intent.
    const entry = await taskEntries.find(task.id, intent);
    await entry?.finish(outcome);
    taskEntries.forget(task.id);
  }
  try {
    const { result, reason, durationMs } = outcome;
    telemetry.recordCall({ method, target: operation.name, era, transport, result, reason, durationMs });
  } catch (error) {
    logger.error({ err: error, correlationId }, 'call not measured');
  }
}
