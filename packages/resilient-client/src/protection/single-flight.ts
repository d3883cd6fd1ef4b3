import { stopCodeOf, type StopCode, type StopSignal } from '../time/stop-signal.ts';

/** Lets concurrent callers of the same thing share one run of it. */
export interface SingleFlight<T> {
  /**
   * Joins the run under `key`, or starts it. A caller who is stopped leaves alone; the run is aborted with the last.
   * Rejects with {@link CallerStopped} for a caller who was stopped.
   */
  readonly join: (key: string, caller: StopSignal, start: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** A caller was stopped while others, or nobody, went on waiting. */
export class CallerStopped extends Error {
  override readonly name = 'CallerStopped';
  readonly code: StopCode;

  constructor(code: StopCode) {
    super(code);
    this.code = code;
  }
}

interface SharedRun<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  /** How many wait for it. */
  callers: number;
}

/** Creates a table of runs; a run leaves it when it ends, so nothing is remembered. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const runs = new Map<string, SharedRun<T>>();

  function startRun(key: string, start: (signal: AbortSignal) => Promise<T>): SharedRun<T> {
    const controller = new AbortController();
    const run: SharedRun<T> = {
      controller,
      callers: 0,
      result: start(controller.signal).finally(() => remove(key, run)),
    };
    runs.set(key, run);
    return run;
  }

  function remove(key: string, run: SharedRun<T>): void {
    if (runs.get(key) === run) {
      runs.delete(key);
    }
  }

  return {
    join(key, caller, start) {
      const run = runs.get(key) ?? startRun(key, start);
      run.callers += 1;
      return new Promise((resolve, reject) => {
        const waiter = {
          handleEvent() {
            run.callers -= 1;
            if (run.callers === 0) {
              // Out of the table at once: whoever comes next must not join a run that is being aborted.
              remove(key, run);
              run.controller.abort();
            }
            reject(new CallerStopped(stopCodeOf(caller)));
          },
        };
        if (caller.aborted) {
          waiter.handleEvent();
        } else {
          caller.addEventListener('abort', waiter);
        }
        run.result.then(resolve, reject).finally(() => caller.removeEventListener('abort', waiter));
      });
    },
  };
}
