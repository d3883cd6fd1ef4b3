import type { AuditIntent, AuditOutcome, CountedRefusals } from '../event/event.ts';

/** A call that was refused before anything ran. */
export interface Refusal {
  readonly intent: AuditIntent;
  readonly outcome: AuditOutcome;
}

// Reasons are codes from a short list; a server that makes them up is no reason to grow.
const MAX_REASONS = 32;
const OTHER_REASON = '_other';

/** The refusals of one source that were only counted, and the last of them. */
export class RefusalGroup {
  readonly #reasons = new Map<string, number>();
  #count = 0;
  #since = 0;
  #until = 0;
  #last: Refusal | undefined;
  /** How many were recorded one by one. */
  recorded = 0;

  /** How many were counted. */
  get count(): number {
    return this.#count;
  }

  /** The last one that was counted. */
  get last(): Refusal | undefined {
    return this.#last;
  }

  /** Counts one. */
  add(refusal: Refusal, time: number): void {
    this.#addReason(refusal.outcome.reason ?? OTHER_REASON, 1);
    this.#since = this.#count === 0 ? time : Math.min(this.#since, time);
    this.#until = Math.max(this.#until, time);
    this.#count += 1;
    this.#last = refusal;
  }

  /** Counts those of another group too. */
  merge(other: RefusalGroup): void {
    if (other.#count === 0) {
      return;
    }
    for (const [reason, count] of other.#reasons) {
      this.#addReason(reason, count);
    }
    this.#since = this.#count === 0 ? other.#since : Math.min(this.#since, other.#since);
    this.#until = Math.max(this.#until, other.#until);
    this.#count += other.#count;
    this.#last = other.#last;
  }

  /** What an event says of them. */
  get summary(): CountedRefusals {
    return {
      count: this.#count,
      reasons: Object.fromEntries(this.#reasons),
      since: new Date(this.#since).toISOString(),
      until: new Date(this.#until).toISOString(),
    };
  }

  #addReason(reason: string, count: number): void {
    const isKnown = this.#reasons.has(reason) || this.#reasons.size < MAX_REASONS;
    const name = isKnown ? reason : OTHER_REASON;
    this.#reasons.set(name, (this.#reasons.get(name) ?? 0) + count);
  }
}
