import { untilAborted } from '../abort.ts';

/** How many may be under way at once. */
export interface InFlightLimits {
  /** Of those that are known; of those that are not, just as many, and as many of these may wait. */
  readonly total: number;
  /** Of those that are not known, from one source. */
  readonly perSource: number;
}

/** Who wants to begin. */
export interface InFlightRequest {
  readonly isKnown: boolean;
  /** Where a stranger's request comes from, where that is known. */
  readonly source: string | undefined;
}

/** Places for requests in flight, of which strangers have their own share, and each source of them a part of it. */
export interface InFlightShares {
  /**
   * Takes a place, and gives the function that frees it; `undefined` when there is none to be had. A stranger whose source
   * has less than its part waits where other sources have taken all places: the next that is free is for the source that
   * has fewest.
   * @throws {unknown} the signal's reason
   */
  readonly enter: (request: InFlightRequest, signal: AbortSignal) => Promise<(() => void) | undefined>;
}

interface Waiter {
  readonly source: string;
  readonly decide: (isAdmitted: boolean) => void;
}

/** Creates the places. */
export function createInFlightShares({ total, perSource }: InFlightLimits): InFlightShares {
  let known = 0;
  let strangers = 0;
  const taken = new Map<string, number>();
  /** In the order of arrival. */
  const waiting = new Set<Waiter>();

  const placesOf = (source: string): number => taken.get(source) ?? 0;
  const wantedBy = (source: string): number =>
    placesOf(source) + [...waiting].filter((waiter) => waiter.source === source).length;

  function take(source: string | undefined): () => void {
    strangers += 1;
    if (source !== undefined) {
      taken.set(source, placesOf(source) + 1);
    }
    return () => {
      strangers -= 1;
      if (source !== undefined) {
        const left = placesOf(source) - 1;
        if (left === 0) {
          taken.delete(source);
        } else {
          taken.set(source, left);
        }
      }
      const [next] = [...waiting].toSorted((a, b) => placesOf(a.source) - placesOf(b.source));
      next?.decide(true);
    };
  }

  /** Makes room among those who wait for one whose source wants less than another. */
  function makeRoom(source: string): boolean {
    if (waiting.size < total) {
      return true;
    }
    const [greediest] = [...waiting].toReversed().toSorted((a, b) => wantedBy(b.source) - wantedBy(a.source));
    if (greediest === undefined || wantedBy(greediest.source) <= wantedBy(source) + 1) {
      return false;
    }
    greediest.decide(false);
    return true;
  }

  async function wait(source: string, signal: AbortSignal): Promise<(() => void) | undefined> {
    const turn = Promise.withResolvers<(() => void) | undefined>();
    const waiter: Waiter = {
      source,
      decide(isAdmitted) {
        waiting.delete(waiter);
        turn.resolve(isAdmitted ? take(source) : undefined);
      },
    };
    waiting.add(waiter);
    try {
      return await untilAborted(turn.promise, signal);
    } catch (error) {
      if (!waiting.delete(waiter)) {
        // The turn came in the same moment: it is the next one's then.
        void turn.promise.then((leave) => leave?.());
      }
      throw error;
    }
  }

  return {
    async enter({ isKnown, source }, signal) {
      if (isKnown) {
        if (known >= total) {
          return undefined;
        }
        known += 1;
        return () => {
          known -= 1;
        };
      }
      if (source !== undefined && wantedBy(source) >= perSource) {
        return undefined;
      }
      if (strangers < total) {
        return take(source);
      }
      return source !== undefined && makeRoom(source) ? wait(source, signal) : undefined;
    },
  };
}
