/** How many may be under way at once. */
export interface InFlightLimits {
  /** Of those that are known; of those that are not, just as many. */
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
  /** Takes a place, and gives the function that frees it; `undefined` when there is none. */
  readonly enter: (request: InFlightRequest) => (() => void) | undefined;
}

/** Creates the places. */
export function createInFlightShares({ total, perSource }: InFlightLimits): InFlightShares {
  let known = 0;
  let strangers = 0;
  const sources = new Map<string, number>();

  return {
    enter({ isKnown, source }) {
      if (isKnown) {
        if (known >= total) {
          return undefined;
        }
        known += 1;
        return () => {
          known -= 1;
        };
      }
      const ofSource = source === undefined ? 0 : (sources.get(source) ?? 0);
      if (strangers >= total || ofSource >= perSource) {
        return undefined;
      }
      strangers += 1;
      if (source === undefined) {
        return () => {
          strangers -= 1;
        };
      }
      sources.set(source, ofSource + 1);
      return () => {
        strangers -= 1;
        const left = (sources.get(source) ?? 1) - 1;
        if (left === 0) {
          sources.delete(source);
        } else {
          sources.set(source, left);
        }
      };
    },
  };
}
