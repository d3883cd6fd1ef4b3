/** How many of something may be done: a burst at once, and then so many in each second. */
export class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #countedAt = performance.now();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  /** Takes one; `false` when none is left. */
  take(): boolean {
    const now = performance.now();
    const earned = ((now - this.#countedAt) * this.#perSecond) / 1_000;
    this.#left = Math.min(this.#burst, this.#left + earned);
    this.#countedAt = now;
    if (this.#left < 1) {
      return false;
    }
    this.#left -= 1;
    return true;
  }

  /** How long until there is one, in milliseconds. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(((1 - this.#left) * 1_000) / this.#perSecond));
  }
}
