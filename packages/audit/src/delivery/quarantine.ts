import { join } from 'node:path';

import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';
import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import type { Logger } from '../logger.ts';
import { MAX_BATCH_EVENTS, type Batch } from './batch.ts';

interface QuarantineOptions {
  /** The name of the sink. */
  readonly sink: string;
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly logger: Logger;
  /** Called when the sink does not take an event, and the event was set aside. */
  readonly onQuarantine: (sink: string, event: AuditEvent) => void;
}

/** What becomes of a batch that a sink refused because of what is in it. */
type Narrowed =
  /** It is sent again with less in it. */
  | { readonly step: 'resend'; readonly batch: Batch }
  /** Fewer events are read and sent. */
  | { readonly step: 'read less' }
  /** Its one event was set aside: it counts as delivered. */
  | { readonly step: 'set aside' };

// A sink that refuses so many events one after the other is out of order.
const MAX_IN_A_ROW = 10;

/** Finds the one event that a sink does not take, and sets it aside in `quarantine-<sink>.jsonl`. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  #limit = MAX_BATCH_EVENTS;
  #events = 0;
  #inARow = 0;

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
  accepted(batch: Batch): void {
    if (batch.events.length > 0) {
      this.#inARow = 0;
    }
    this.#limit = Math.min(MAX_BATCH_EVENTS, this.#limit * 2);
  }

  /**
   * Narrows a batch that the sink refused because of what is in it: first its checkpoints go, then half of its
   * events, and the one event that is left at last is set aside. `undefined` when there is nothing to narrow: a
   * sink that takes nothing at all is out of order, is asked again later, and no more events are set aside.
   */
  async narrow(batch: Batch, error: unknown): Promise<Narrowed | undefined> {
    if (!(error instanceof AuditError) || error.code !== 'rejected_by_sink') {
      return undefined;
    }
    const { sink, logger, onQuarantine } = this.#options;
    if (batch.checkpoints.length > 0) {
      logger.warn({ err: error, sink }, 'audit checkpoints not accepted');
      return { step: 'resend', batch: { ...batch, checkpoints: [] } };
    }
    const [poison] = batch.events;
    if (batch.events.length > 1) {
      this.#limit = Math.ceil(batch.events.length / 2);
      return { step: 'read less' };
    }
    if (poison === undefined || this.#inARow >= MAX_IN_A_ROW) {
      return undefined;
    }
    try {
      await this.#write(poison);
    } catch (cause) {
      logger.error({ err: cause, sink }, 'audit quarantine not written');
      return undefined;
    }
    this.#events += 1;
    this.#inARow += 1;
    onQuarantine(sink, poison);
    return { step: 'set aside' };
  }

  async #write(event: AuditEvent): Promise<void> {
    const { directory, fileSystem, sink } = this.#options;
    const path = join(directory, `quarantine-${sink}.jsonl`);
    await withFile(fileSystem, path, 'update', async (file) => {
      await file.write(Buffer.from(`${safeJson(event)}\n`), await file.size());
      await file.datasync();
    });
    await fileSystem.syncDirectory(directory);
  }
}
