import type { Place, Places, RateLimiter } from '../ports.ts';

interface Lease {
  readonly endsAt: number;
}

/** Counts places in this process; a key without one takes no memory. */
export function createLocalPlaces(now: () => number = () => performance.now()) {
  /** By holder; one that nobody else knows is a value of its own. */
  const taken = new Map<string, Map<unknown, Lease>>();
  return {
    enter(key, { max, leaseMs, holder: named }: Places): Place | undefined {
      const holder = named ?? Symbol('holder');
      const time = now();
      const leases = taken.get(key) ?? new Map<unknown, Lease>();
      if (leases.size >= max && !leases.has(holder)) {
        for (const [other, lease] of leases) {
          if (lease.endsAt <= time) {
            leases.delete(other);
          }
        }
        if (leases.size >= max) {
          return undefined;
        }
      }
      const known = leases.get(holder);
      leases.set(holder, { endsAt: time + leaseMs });
      taken.set(key, leases);
      return {
        wasHeld: known !== undefined && known.endsAt > time,
        leave() {
          if (leases.delete(holder) && leases.size === 0 && taken.get(key) === leases) {
            taken.delete(key);
          }
        },
      };
    },
  } satisfies Pick<RateLimiter, 'enter'>;
}
