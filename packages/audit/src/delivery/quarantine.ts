import { join } from 'node:path';

import type { LogPosition } from '../chain/record.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import { AuditError, type RefusedRecord } from '../errors.ts';
import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import type { Logger } from '../logger.ts';
import { MAX_BATCH_EVENTS, type Batch } from './batch.ts';
import type { LogReader } from './log-reader.ts';

interface QuarantineOptions {
  /** The name of the sink. */
  readonly sink: string;
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly logger: Logger;
  /** Gives the sink a batch; rejects when it does not take it. */
  readonly deliver: (batch: Pick<Batch, 'events' | 'checkpoints'>) => Promise<void>;
  readonly reader: Pick<LogReader, 'readNext' | 'readNewest'>;
  /** Called when the sink does not take an event, and the event was set aside. */
  readonly onQuarantine: (sink: string, event: AuditEvent) => void;
}

/** What becomes of a batch that a sink did not take. */
type Narrowed =
  /** It is sent again later; without `batch` it is read again. */
  | { readonly step: 'wait'; readonly batch?: Batch | undefined }
  /** It is sent again with less in it. */
  | { readonly step: 'resend'; readonly batch: Batch }
  /** Fewer events are read and sent, after a wait where the sink is in trouble. */
  | { readonly step: 'read less'; readonly isAtOnce: boolean }
  /** The rest is delivered or set aside: the delivery goes on from there. */
  | { readonly step: 'go on'; readonly from: LogPosition };

/** How an answer is taken. */
interface Verdict {
  /** How often the same batch is tried before its content is suspected. */
  readonly tries: number;
  /** How often an event must fail while its neighbour is taken, before it is set aside. */
  readonly confirmations: number;
  /** Whether smaller batches may be tried at once: the sink is well and says no. */
  readonly isAnswer: boolean;
}

const REJECTED: Verdict = { tries: 1, confirmations: 1, isAnswer: true };
// A firewall before the collector refuses one event's text as it refuses a sender it does not know.
const REFUSED: Verdict = { tries: 3, confirmations: 2, isAnswer: true };
// Longer than a restart of the collector takes: some ninety seconds of back-off.
const IN_TROUBLE: Verdict = { tries: 10, confirmations: 3, isAnswer: false };

/**
 * Finds what a sink does not take and sets it aside in `quarantine-<sink>.jsonl`, so that one event never holds up
 * those that follow. The proof is always the same, whatever the sink answers: it refuses this event alone, and takes
 * another one. A sink that takes nothing at all is asked again later, and nothing is set aside.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  #limit = MAX_BATCH_EVENTS;
  #events = 0;
  #lastAccepted: AuditEvent | undefined;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** How many events the next batch may hold. */
  get limit(): number {
    return this.#limit;
  }

  /** How many events were set aside. */
  get events(): number {
    return this.#events;
  }

  /** Takes note of a batch that the sink took. */
  accepted(batch: Pick<Batch, 'events'>): void {
    this.#lastAccepted = batch.events.at(-1) ?? this.#lastAccepted;
    this.#limit = Math.min(MAX_BATCH_EVENTS, this.#limit * 2);
  }

  /** Says how to go on after a sink did not take a batch for the so many-th time. */
  async narrow(batch: Batch, error: unknown, tries: number): Promise<Narrowed> {
    const verdict = verdictOn(error);
    const partly = refusedParts(batch, error);
    if (partly !== undefined) {
      return this.#keepRefused(batch, partly);
    }
    // Once a smaller batch is tried, nothing new is learned from repeating each of them.
    const isSuspected = tries >= verdict.tries || this.#limit < MAX_BATCH_EVENTS;
    // A sink that says when to come again means everybody.
    const isAskedToWait = error instanceof AuditError && error.retryAfterMs !== undefined;
    if (!isSuspected || isAskedToWait) {
      return { step: 'wait', batch };
    }
    if (verdict === REJECTED && batch.checkpoints.length > 0) {
      this.#warnOfCheckpoints(error);
      return { step: 'resend', batch: { ...batch, checkpoints: [] } };
    }
    if (batch.events.length > 1) {
      this.#limit = Math.ceil(batch.events.length / 2);
      return { step: 'read less', isAtOnce: verdict.isAnswer };
    }
    return batch.checkpoints.length > 0
      ? this.#withoutCheckpoints(batch, error, verdict)
      : this.#examine(batch, verdict);
  }

  #warnOfCheckpoints(err?: unknown): void {
    const { sink, logger } = this.#options;
    logger.warn({ err, sink }, 'audit checkpoints not accepted');
  }

  async #withoutCheckpoints(batch: Batch, error: unknown, verdict: Verdict): Promise<Narrowed> {
    const rest = { ...batch, checkpoints: [] };
    const hasEvents = batch.events.length > 0;
    if (await (hasEvents ? this.#takes(rest) : this.#takesAnother(undefined))) {
      this.#warnOfCheckpoints(error);
      return { step: 'go on', from: batch.end };
    }
    return hasEvents ? this.#examine(rest, verdict) : { step: 'wait' };
  }

  /** Looks whether the sink takes another event while it does not take this one. */
  async #examine(batch: Batch, verdict: Verdict): Promise<Narrowed> {
    const [suspect] = batch.events;
    if (suspect === undefined) {
      return { step: 'wait' };
    }
    this.#limit = 1;
    for (let confirmed = 1; ; confirmed += 1) {
      const from = await this.#provenFrom(batch, suspect);
      if (from === undefined) {
        return { step: 'wait' };
      }
      if (confirmed >= verdict.confirmations) {
        return (await this.#setAside([suspect])) ? { step: 'go on', from } : { step: 'wait' };
      }
      if (await this.#takes(batch)) {
        return { step: 'go on', from };
      }
    }
  }

  // The event after it comes first: where that is taken, nothing is sent twice.
  async #provenFrom(batch: Batch, suspect: AuditEvent): Promise<LogPosition | undefined> {
    const next = await this.#options.reader.readNext(batch.end);
    if (next !== undefined && (await this.#takes(next))) {
      return next.end;
    }
    return (await this.#takesAnother(suspect)) ? batch.end : undefined;
  }

  async #takesAnother(suspect: AuditEvent | undefined): Promise<boolean> {
    for (const event of [this.#lastAccepted, await this.#options.reader.readNewest()]) {
      if (event !== undefined && event.id !== suspect?.id) {
        if (await this.#takes({ events: [event], checkpoints: [] })) {
          return true;
        }
      }
    }
    return false;
  }

  async #takes(batch: Pick<Batch, 'events' | 'checkpoints'>): Promise<boolean> {
    try {
      await this.#options.deliver(batch);
    } catch {
      // Why was said of the first attempt. An abort shows in the signal, which the delivery looks at.
      return false;
    }
    this.#lastAccepted = batch.events.at(-1) ?? this.#lastAccepted;
    return true;
  }

  // The sink took all the rest, which is all the proof that is needed.
  async #keepRefused(batch: Batch, refused: ReadonlyMap<string, RefusedRecord>): Promise<Narrowed> {
    const isLost = ({ id }: { readonly id: string }) => refused.get(id)?.isRetryable === false;
    const isLate = ({ id }: { readonly id: string }) => refused.get(id)?.isRetryable === true;
    const lost = batch.events.filter(isLost);
    if (lost.length > 0 && !(await this.#setAside(lost))) {
      return { step: 'wait', batch };
    }
    if (batch.checkpoints.some(isLost)) {
      this.#warnOfCheckpoints();
    }
    const rest = {
      ...batch,
      events: batch.events.filter(isLate),
      checkpoints: batch.checkpoints.filter(isLate),
    };
    return rest.events.length + rest.checkpoints.length === 0
      ? { step: 'go on', from: batch.end }
      : { step: 'wait', batch: rest };
  }

  /** `false` when they could not be written down. */
  async #setAside(events: readonly AuditEvent[]): Promise<boolean> {
    const { directory, fileSystem, sink, logger, onQuarantine } = this.#options;
    const lines = events.map((event) => `${safeJson(event)}\n`).join('');
    try {
      await withFile(fileSystem, join(directory, `quarantine-${sink}.jsonl`), 'update', async (file) => {
        await file.write(Buffer.from(lines), await file.size());
        await file.datasync();
      });
      await fileSystem.syncDirectory(directory);
    } catch (cause) {
      logger.error({ err: cause, sink }, 'audit quarantine not written');
      return false;
    }
    this.#events += events.length;
    for (const event of events) {
      onQuarantine(sink, event);
    }
    return true;
  }
}

function verdictOn(error: unknown): Verdict {
  const code = error instanceof AuditError ? error.code : undefined;
  if (code === 'rejected_by_sink') {
    return REJECTED;
  }
  return code === 'refused_by_sink' || code === 'not_confirmed' ? REFUSED : IN_TROUBLE;
}

/** What a sink refused of a batch that it took in part; `undefined` when it took nothing of it. */
function refusedParts(batch: Batch, error: unknown): ReadonlyMap<string, RefusedRecord> | undefined {
  const given = new Set([...batch.events, ...batch.checkpoints].map(({ id }) => id));
  const refused = error instanceof AuditError ? (error.refused ?? []) : [];
  const known = new Map(refused.filter(({ id }) => given.has(id)).map((record) => [record.id, record]));
  return known.size > 0 && known.size < given.size ? known : undefined;
}
