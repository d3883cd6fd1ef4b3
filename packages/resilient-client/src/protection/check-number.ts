// setTimeout takes a signed 32-bit number and fires at once beyond it.
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws {RangeError} unless it is a whole number within the bounds */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
}

/** @throws {RangeError} unless it is a number within the bounds */
export function checkNumber(name: string, value: number, least: number, most: number): void {
  // Written so that NaN is refused.
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${name} must be a number from ${least} to ${most}, not ${value}`);
  }
}
