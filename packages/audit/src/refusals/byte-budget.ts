const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Bytes that may be written: a quarter of a day's share at once, the rest spread over the day. So no day has more than
 * its share, and a flood at midnight does not leave the rest of the day without.
 */
export class ByteBudget {
  readonly #capacity: number;
  readonly #perMs: number;
  #left: number;
  #asOf: number;

  constructor(bytesPerDay: number, now: number) {
    this.#capacity = bytesPerDay / 4;
    this.#perMs = (bytesPerDay * 3) / 4 / DAY_MS;
    this.#left = this.#capacity;
    this.#asOf = now;
  }

  /** Takes so many bytes, or nothing when there are fewer. */
  take(bytes: number, now: number): boolean {
    // A clock that was set back refills nothing, one that was set forward no more than a full budget.
    this.#left = Math.min(this.#capacity, this.#left + Math.max(0, now - this.#asOf) * this.#perMs);
    this.#asOf = now;
    if (bytes > this.#left) {
      return false;
    }
    this.#left -= bytes;
    return true;
  }
}
