import { stopCodeOf, type StopCode, type StopSignal } from '../time/stop-signal.ts';

/** Lets concurrent callers of the same thing share one run of it. */
export interface SingleFlight<T> {
  /**
   * Joins the run under `key`, or starts it. A caller who is stopped leaves alone; the run is aborted with the last.
   * Rejects with {@link LeftFlight} for a caller who was stopped.
   */
  join(key: string, caller: StopSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** A caller was stopped while others, or nobody, went on waiting. */
export class LeftFlight extends Error {
  override readonly name = 'LeftFlight';
  readonly code: StopCode;

  constructor(code: StopCode) {
    super(code);
    this.code = code;
  }
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  passengers: number;
}

/** Creates a table of runs; a run leaves it when it ends, so nothing is remembered. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function launch(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = {
      controller,
      passengers: 0,
      result: start(controller.signal).finally(() => remove(key, flight)),
    };
    flights.set(key, flight);
    return flight;
  }

  function remove(key: string, flight: Flight<T>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  return {
    join(key, caller, start) {
      const flight = flights.get(key) ?? launch(key, start);
      flight.passengers += 1;
      return new Promise((resolve, reject) => {
        const leave = () => {
          flight.passengers -= 1;
          if (flight.passengers === 0) {
            // Out of the table at once: whoever comes next must not join a run that is being aborted.
            remove(key, flight);
            flight.controller.abort();
          }
          reject(new LeftFlight(stopCodeOf(caller)));
        };
        if (caller.aborted) leave();
        else caller.addEventListener('abort', leave);
        flight.result.then(resolve, reject).finally(() => caller.removeEventListener('abort', leave));
      });
    },
  };
}
