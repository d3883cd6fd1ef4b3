import type { Place, RateLimiter } from '../ports.ts';

interface Lease {
  readonly endsAt: number;
}

/** Counts places in this process; a key without one takes no memory. */
export function createLocalPlaces(now: () => number = () => performance.now()) {
  const taken = new Map<string, Set<Lease>>();
  return {
    enter(key, { max, leaseMs }): Place | undefined {
      const time = now();
      const leases = taken.get(key) ?? new Set();
      if (leases.size >= max) {
        for (const lease of leases) {
          if (lease.endsAt <= time) {
            leases.delete(lease);
          }
        }
        if (leases.size >= max) {
          return undefined;
        }
      }
      const lease = { endsAt: time + leaseMs };
      leases.add(lease);
      taken.set(key, leases);
      return {
        leave() {
          if (leases.delete(lease) && leases.size === 0 && taken.get(key) === leases) {
            taken.delete(key);
          }
        },
      };
    },
  } satisfies Pick<RateLimiter, 'enter'>;
}
