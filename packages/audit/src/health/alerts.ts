import { AuditError, type AuditErrorCode } from '../errors.ts';
import { describe, encodeIntent, encodeOutcome, type EventSource } from '../event/encode.ts';
import type { AuditOutcome, JsonObject } from '../event/event.ts';
import type { Logger } from '../logger.ts';
import type { SegmentLog } from '../segments/segment-log.ts';

/** The troubles of the trail that need an operator: in the log, in its health, and as events in the trail itself. */
export class Alerts {
  readonly #source: EventSource;
  readonly #log: Pick<SegmentLog, 'append'>;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #raised = new Set<string>();
  #last: AuditError | undefined;

  constructor(
    source: EventSource,
    log: Pick<SegmentLog, 'append'>,
    options: { readonly logger: Logger; readonly now: () => number },
  ) {
    this.#source = source;
    this.#log = log;
    this.#logger = options.logger;
    this.#now = options.now;
  }

  /** The last one since the trail was opened. */
  get last(): AuditError | undefined {
    return this.#last;
  }

  /**
   * Reports one, once per target and run; resolves when its two events are durable, or when it is clear that they
   * cannot be.
   */
  async raise(code: AuditErrorCode, target: string, details: JsonObject): Promise<void> {
    const action = `audit/${code}`;
    const key = `${action}: ${target}`;
    if (this.#raised.has(key)) {
      return;
    }
    this.#raised.add(key);
    this.#last = new AuditError(code, key);
    this.#logger.error({ action, target, ...details }, 'audit alert');
    await this.#record(action, target, { details, outcome: { result: 'failure', reason: code } });
  }

  /** Records what an operator did, and nothing is wrong with; everybody who gets the events may judge. */
  async note(action: string, target: string, details: JsonObject): Promise<void> {
    this.#logger.warn({ action, target, ...details }, 'audit note');
    await this.#record(action, target, { details, outcome: { result: 'success' } });
  }

  async #record(
    action: string,
    target: string,
    said: { readonly details: JsonObject; readonly outcome: Omit<AuditOutcome, 'durationMs'> },
  ): Promise<void> {
    const time = this.#now();
    const description = describe(this.#source, {
      actor: { id: 'audit', kind: 'service', groups: [] },
      action,
      target,
      correlationId: this.#source.writerId,
      transport: 'internal',
      urgent: true,
    });
    const intent = encodeIntent(description, { arguments: said.details }, time);
    const outcome = encodeOutcome(description, intent.id, said.outcome, time);
    try {
      await Promise.all([this.#log.append(intent), this.#log.append(outcome)]);
    } catch (error) {
      this.#logger.error({ err: error, action }, 'audit alert not recorded');
    }
  }
}
