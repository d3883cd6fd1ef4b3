/** How old a thing is that decisions rest on. */
export interface FactAge {
  /**
   * `policy` and `directory` are files, `groups` those of users, `keys` those of issuers, `introspection` what an issuer
   * said of opaque tokens. Fit for a label of metrics.
   */
  readonly fact: 'policy' | 'directory' | 'groups' | 'keys' | 'introspection';
  /** Since it was last known to be so, in milliseconds. Grows while nobody asks: before use it is looked up again. */
  readonly ageMs: number;
  /** Nothing is decided on it when it is older, in milliseconds. */
  readonly limitMs: number;
  /** How long it could not be looked up again, in milliseconds; 0 when nothing is wrong. This is what to alert on. */
  readonly failingMs: number;
}

/** What has ages to show. */
export type FactAges = () => readonly FactAge[];

/** Remembers when a fact was last looked up, and since when that fails. */
export interface FactClock {
  /** It was found to be so. `at` is when it was asked for, in milliseconds since the Unix epoch. @default now */
  readonly confirmed: (at?: number) => void;
  /** It could not be looked up. */
  readonly failed: () => void;
  /** One age; none before it was first known. */
  readonly ages: FactAges;
}

/** Starts with nothing known. `now` is in milliseconds since the Unix epoch. */
export function createFactClock(fact: FactAge['fact'], limitMs: number, now: () => number): FactClock {
  let confirmedAt: number | undefined;
  let failingSince: number | undefined;
  return {
    confirmed(at = now()) {
      confirmedAt = Math.max(at, Math.min(confirmedAt ?? at, now()));
      failingSince = undefined;
    },
    failed() {
      failingSince ??= now();
    },
    ages() {
      const at = now();
      // Where the clock was set back, the time goes on from there: an alert would else be silent until it has caught up.
      confirmedAt &&= Math.min(confirmedAt, at);
      failingSince &&= Math.min(failingSince, at);
      const startedAt = confirmedAt ?? failingSince;
      return startedAt === undefined
        ? []
        : [{ fact, ageMs: at - startedAt, limitMs, failingMs: at - (failingSince ?? at) }];
    },
  };
}

/** One age per fact where several sources have it: the one that fails longest, then the one closest to its limit. */
export function worstAges(ages: readonly FactAge[]): readonly FactAge[] {
  const worst = new Map<FactAge['fact'], FactAge>();
  for (const age of ages) {
    const known = worst.get(age.fact);
    if (known === undefined || isWorse(age, known)) {
      worst.set(age.fact, age);
    }
  }
  return [...worst.values()];
}

function isWorse(one: FactAge, other: FactAge): boolean {
  return one.failingMs === other.failingMs
    ? one.ageMs - one.limitMs > other.ageMs - other.limitMs
    : one.failingMs > other.failingMs;
}
