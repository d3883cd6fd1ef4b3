import type { SetTimer } from '../clock.ts';
import { AuditError } from '../errors.ts';
import {
  describe,
  encodeIntent,
  encodeOutcome,
  type EncodedEvent,
  type EventSource,
} from '../event/encode.ts';
import type { AuditIntent, CountedRefusals } from '../event/event.ts';
import type { Logger } from '../logger.ts';
import { addressBlock } from './address-block.ts';
import { ByteBudget } from './byte-budget.ts';
import { RefusalGroup, type Refusal } from './refusal-group.ts';

interface RefusalLogOptions {
  readonly source: EventSource;
  /** Makes an event durable. */
  readonly append: (event: EncodedEvent) => Promise<void>;
  /** How much refusals may take of the disk in a day. */
  readonly refusalBytesPerDay: number;
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
}

/** How many refusals there were since the trail was opened. */
export interface RefusalCounts {
  /** Those with an intent and an outcome of their own. */
  readonly recorded: number;
  /** Those that are part of a count in the trail. */
  readonly counted: number;
  /** Those that are counted and not yet in the trail. */
  readonly pending: number;
}

const INTERVAL_MS = 60_000;
/** Recorded one by one of each source, reason and minute. */
const RECORDED_EACH = 10;
// A sum for each takes some 1.5 KB: more than that in a minute share one.
const MAX_SOURCES = 1000;
const MAX_SUM_INTERVAL_MS = 60 * INTERVAL_MS;
/** What the chain adds to an event. */
const RECORD_BYTES = 256;

type Kind = 'strangers' | 'callers';

/** The refusals of strangers or of callers: each has its own half, so that strangers crowd out no caller. */
interface Ledger {
  readonly kind: Kind;
  readonly budget: ByteBudget;
  groups: Map<string, RefusalGroup>;
  /** Those that have no group of their own: too many sources, or no bytes left. */
  rest: RefusalGroup;
  restWrittenAt: number;
}

/**
 * Records refusals without letting whoever is refused fill the disk: the first few of a source and reason in a minute one
 * by one, the others as one event with their number. The source is the caller, or the address of a stranger. What is counted is
 * kept in memory until the next minute or the end, whichever is first; the counts are exact.
 */
export class RefusalLog {
  readonly #options: RefusalLogOptions;
  readonly #ledgers: Readonly<Record<Kind, Ledger>>;
  #cancelTimer: (() => void) | undefined;
  #flushing: Promise<void> | undefined;
  #isClosed = false;
  #recorded = 0;
  #counted = 0;

  constructor(options: RefusalLogOptions) {
    this.#options = options;
    const ledger = (kind: Kind): Ledger => ({
      kind,
      budget: new ByteBudget(options.refusalBytesPerDay / 2, options.now()),
      groups: new Map(),
      rest: new RefusalGroup(),
      restWrittenAt: options.now(),
    });
    this.#ledgers = { strangers: ledger('strangers'), callers: ledger('callers') };
  }

  /** How many there were. */
  get counts(): RefusalCounts {
    const groups = Object.values(this.#ledgers).flatMap(({ groups: own, rest }) => [...own.values(), rest]);
    const pending = groups.reduce((sum, { count }) => sum + count, 0);
    return { recorded: this.#recorded, counted: this.#counted, pending };
  }

  /**
   * Resolves when the refusal is durable or counted.
   * @throws {AuditError} `closed`
   */
  async refuse(refusal: Refusal): Promise<void> {
    if (this.#isClosed) {
      throw new AuditError('closed', 'The audit trail is closed');
    }
    const { now } = this.#options;
    const ledger = this.#ledgers[isStranger(refusal.intent) ? 'strangers' : 'callers'];
    const group = groupOf(ledger, sourceOf(refusal));
    this.#arm();
    if (group === ledger.rest || group.recorded >= RECORDED_EACH) {
      group.add(refusal, now());
      return;
    }
    const events = this.#encode(refusal);
    if (!ledger.budget.take(sizeOf(events), now())) {
      group.add(refusal, now());
      return;
    }
    group.recorded += 1;
    if (await this.#write(events)) {
      this.#recorded += 1;
    } else {
      // The disk may be full: it is told with the others, once there is room.
      ledger.rest.add(refusal, now());
    }
  }

  /** Writes what was counted, and counts no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    await this.#flushing;
    await this.#flush();
    const { pending } = this.counts;
    if (pending > 0) {
      this.#options.logger.error({ refusals: pending }, 'audit refusals not recorded');
    }
  }

  #arm(): void {
    this.#cancelTimer ??= this.#options.setTimer(
      () => {
        this.#cancelTimer = undefined;
        this.#flushing = this.#flush();
      },
      INTERVAL_MS,
      { keepsProcessAlive: false },
    );
  }

  async #flush(): Promise<void> {
    await Promise.all(Object.values(this.#ledgers).map((ledger) => this.#flushLedger(ledger)));
    if (!this.#isClosed && this.counts.pending > 0) {
      this.#arm();
    }
  }

  async #flushLedger(ledger: Ledger): Promise<void> {
    const groups = [...ledger.groups.values()].filter(({ count }) => count > 0);
    ledger.groups = new Map();
    await Promise.all(groups.map((group) => this.#writeGroup(ledger, group)));

    const { rest, budget } = ledger;
    if (rest.last === undefined) {
      return;
    }
    const now = this.#options.now();
    const events = this.#encode({ ...rest.last, intent: sumIntent(ledger.kind, rest.last) }, rest.summary);
    const isDue =
      budget.take(sizeOf(events), now) ||
      this.#isClosed ||
      Math.abs(now - ledger.restWrittenAt) >= MAX_SUM_INTERVAL_MS;
    if (!isDue) {
      return;
    }
    ledger.rest = new RefusalGroup();
    ledger.restWrittenAt = now;
    if (await this.#write(events)) {
      this.#counted += rest.count;
    } else {
      ledger.rest.merge(rest);
    }
  }

  async #writeGroup(ledger: Ledger, group: RefusalGroup): Promise<void> {
    const { last } = group;
    if (last === undefined) {
      return;
    }
    const events = this.#encode({ ...last, intent: groupIntent(last.intent) }, group.summary);
    if (ledger.budget.take(sizeOf(events), this.#options.now()) && (await this.#write(events))) {
      this.#counted += group.count;
    } else {
      ledger.rest.merge(group);
    }
  }

  #encode({ intent, outcome }: Refusal, refusals?: CountedRefusals): readonly EncodedEvent[] {
    const time = this.#options.now();
    const description = describe(this.#options.source, intent);
    const begun = encodeIntent(description, intent, time);
    return [begun, encodeOutcome(description, begun.id, { ...outcome, refusals }, time)];
  }

  async #write(events: readonly EncodedEvent[]): Promise<boolean> {
    try {
      // One after the other: a full disk takes outcomes, which must not be there without their intents.
      for (const event of events) {
        await this.#options.append(event);
      }
      return true;
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'audit refusal counted, not recorded');
      return false;
    }
  }
}

function groupOf(ledger: Ledger, source: string): RefusalGroup {
  const known = ledger.groups.get(source);
  if (known !== undefined) {
    return known;
  }
  if (ledger.groups.size >= MAX_SOURCES) {
    return ledger.rest;
  }
  const group = new RefusalGroup();
  ledger.groups.set(source, group);
  return group;
}

function isStranger({ actor }: AuditIntent): boolean {
  return actor.kind === 'anonymous';
}

// With the reason, which is a code of ours: so many wrong names hide no attempt at what is forbidden.
function sourceOf({ intent, outcome }: Refusal): string {
  const source = isStranger(intent) ? addressBlock(intent.sourceAddress ?? '') : intent.actor.id;
  return `${outcome.reason ?? ''} ${source}`;
}

/** The last refusal as the one that stands for all of its source. */
function groupIntent(intent: AuditIntent): AuditIntent {
  return isStranger(intent) && intent.sourceAddress !== undefined
    ? { ...intent, sourceAddress: addressBlock(intent.sourceAddress) }
    : intent;
}

/** What stands for refusals of many: nobody's name, and no address. */
function sumIntent(kind: Kind, { intent }: Refusal): AuditIntent {
  return {
    actor: { id: 'audit', kind: 'service', groups: [] },
    action: 'audit/refusals',
    target: kind,
    correlationId: intent.correlationId,
    transport: 'internal',
    urgent: false,
  };
}

function sizeOf(events: readonly EncodedEvent[]): number {
  return events.reduce((sum, { body }) => sum + Buffer.byteLength(body) + RECORD_BYTES, 0);
}
