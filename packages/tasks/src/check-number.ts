/** `setTimeout` takes a signed 32-bit number and fires at once beyond it. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws {RangeError} unless it is a whole number within the bounds. */
export function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got ${String(value)}`);
  }
}
