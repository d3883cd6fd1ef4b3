/** Why work was stopped before it ended by itself. */
export type StopCode = 'cancelled' | 'deadline_exceeded' | 'timeout';

/** The abort reason of every signal this package makes, so that the code survives on its way to the socket and back. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly code: StopCode;

  constructor(code: StopCode) {
    super(code);
    this.code = code;
  }
}

/** The part of an AbortSignal that a request needs; a real one costs more than the rest of a call together. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  readonly addEventListener: (type: 'abort', listener: StopListener) => void;
  readonly removeEventListener: (type: 'abort', listener: StopListener) => void;
}

/** An object, because it can be what has to stop itself, and spares a closure for each call. */
export interface StopListener {
  readonly handleEvent: () => void;
}

/** Why an aborted signal was aborted; a reason from outside this package is a cancellation by the caller. */
export function stopCodeOf(signal: StopSignal): StopCode {
  return signal.reason instanceof Stopped ? signal.reason.code : 'cancelled';
}

/** The promise's result, or the abort reason as soon as this caller gives up; the work itself goes on. */
export function untilAborted<T>(promise: Promise<T>, signal: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const waiter = { handleEvent: () => reject(new Error('aborted', { cause: signal.reason })) };
    if (signal.aborted) {
      waiter.handleEvent();
    } else {
      signal.addEventListener('abort', waiter);
    }
    promise.then(
      (value) => {
        signal.removeEventListener('abort', waiter);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', waiter);
        reject(error);
      },
    );
  });
}
