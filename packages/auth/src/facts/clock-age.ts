/**
 * How long ago an instant was, in milliseconds. One that is still to come tells that the clock was set back, and then
 * nobody knows: `Infinity`, which is never too young to be asked again and never young enough to be relied on.
 */
export function ageOf(at: number, now: number): number {
  return at <= now ? now - at : Number.POSITIVE_INFINITY;
}
