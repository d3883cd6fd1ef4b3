import type { Place } from '../ports.ts';
import type { Exceeded } from './call-limiter.ts';

/** What a call holds while it works: until its handler has ended, also when nobody waits for that any more. */
export class HeldPlace implements Disposable {
  #place: Place | undefined;
  #isWorking = false;

  /** Takes note of the place, or says which limit was reached. `waited` gives up; the place may still come. */
  async take(
    entering: Promise<Exceeded | Place>,
    waited: Promise<Exceeded | Place> | Exceeded | Place,
  ): Promise<Exceeded | undefined> {
    try {
      const entered = await waited;
      if ('what' in entered) {
        return entered;
      }
      this.#place = entered;
      return undefined;
    } catch (error) {
      void leaveLate(entering);
      throw error;
    }
  }

  /** Runs the work, and gives the place back when it is over. */
  during<T>(work: () => Promise<T> | T): Promise<T> | T {
    return this.#place === undefined ? work() : this.#during(this.#place, work);
  }

  async #during<T>(place: Place, work: () => Promise<T> | T): Promise<T> {
    this.#isWorking = true;
    try {
      return await work();
    } finally {
      place.leave();
    }
  }

  /** Gives the place back, unless the work still needs it. */
  [Symbol.dispose](): void {
    if (!this.#isWorking) {
      this.#place?.leave();
    }
  }
}

async function leaveLate(entering: Promise<Exceeded | Place>): Promise<void> {
  try {
    const entered = await entering;
    if ('leave' in entered) {
      entered.leave();
    }
  } catch {
    // Whoever waited for it has heard of it.
  }
}
