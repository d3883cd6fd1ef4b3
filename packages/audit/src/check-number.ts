/** The longest delay of a timer, in milliseconds: beyond 31 bits `setTimeout` fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws {RangeError} unless `value` is a whole number from `min` to `max` */
export function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got ${String(value)}`);
  }
}
