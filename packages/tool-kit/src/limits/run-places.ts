import { createHash } from 'node:crypto';

import type { Logger, Place, Task } from '../ports.ts';
import type { CallLimiter, Exceeded, LimitedCall, TakenPlaces } from './call-limiter.ts';

/** For how long a run that is not heard of keeps its place. */
const RUN_LEASE_MS = 60_000;
const RENEW_MS = RUN_LEASE_MS / 3;

/** As long as a task waits for its first run. */
const START_LEASE_MS = 3_600_000;

/** Whose run it is, and by what its places are known: of a call that repeats another, they are those of the first. */
export interface RunHolder {
  readonly tool: LimitedCall;
  readonly callerId: string;
  readonly id: string;
}

/** The id of a run. A key of the caller is the caller's own. */
export function runId(taskId: string, callerId: string, idempotencyKey: string | undefined): string {
  return idempotencyKey === undefined
    ? taskId
    : createHash('sha256')
        .update(JSON.stringify([callerId, idempotencyKey]))
        .digest('base64url');
}

/** Takes the places of a run that is about to start, until it is heard of; or for a while, in milliseconds. */
export function takeRunPlaces(
  limiter: CallLimiter,
  { tool, callerId, id }: RunHolder,
  leaseMs = START_LEASE_MS,
): Promise<Exceeded | TakenPlaces> | undefined {
  return limiter.enterRun(tool, callerId, { id, leaseMs, isBegun: false });
}

/** Gives them back when the task has ended, in whatever process; here it may be that nobody else could. */
export function leaveWhenEnded(
  place: Pick<Place, 'leave'>,
  task: Task,
  watch: (listener: (task: Task) => void) => () => void,
): void {
  if (hasEnded(task)) {
    place.leave();
    return;
  }
  const stop = watch((changed) => {
    if (hasEnded(changed)) {
      place.leave();
      stop();
    }
  });
}

function hasEnded({ state }: Task): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** Keeps the places of a run that goes on here, and takes them where they are lost; the end of the task frees them. */
export function keepRunPlaces(limiter: CallLimiter, run: RunHolder, logger: Logger): Disposable {
  const entering = enterBegun(limiter, run);
  if (entering === undefined) {
    return { [Symbol.dispose]: () => undefined };
  }
  let isOver = false;
  const hold = async (entered: typeof entering | undefined) => {
    try {
      const place = await entered;
      if (isOver && place !== undefined && 'leave' in place) {
        // It came when the end had freed it already.
        place.leave();
      }
    } catch (error) {
      logger.warn({ err: error, target: run.tool.name }, 'place of a running task not renewed');
    }
  };
  void hold(entering);
  const timer = setInterval(() => void hold(enterBegun(limiter, run)), RENEW_MS).unref();
  return {
    [Symbol.dispose]() {
      isOver = true;
      clearInterval(timer);
    },
  };
}

/** Frees the places of a run whose task has ended, whoever took them. Nobody waits for it. */
export async function leaveRunPlaces(limiter: CallLimiter, run: RunHolder, logger: Logger): Promise<void> {
  try {
    const place = await enterBegun(limiter, run);
    if (place !== undefined && 'leave' in place) {
      place.leave();
    }
  } catch (error) {
    logger.warn({ err: error, target: run.tool.name }, 'place of an ended task not given back');
  }
}

function enterBegun(limiter: CallLimiter, { tool, callerId, id }: RunHolder) {
  return limiter.enterRun(tool, callerId, { id, leaseMs: RUN_LEASE_MS, isBegun: true });
}
