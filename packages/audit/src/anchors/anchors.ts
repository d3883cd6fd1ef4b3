import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import type { SetTimer } from '../clock.ts';
import { AuditError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { untilAborted } from '../until-aborted.ts';
import type { AnchorKeeper } from './anchor-keeper.ts';

interface AnchorsOptions {
  readonly keepers: readonly AnchorKeeper[];
  readonly setTimer: SetTimer;
  readonly logger: Logger;
}

interface Keeping {
  readonly keeper: AnchorKeeper;
  /** The newest that is not kept yet. */
  next: AuditCheckpoint | undefined;
  running: Promise<void> | undefined;
  cancelRetry: (() => void) | undefined;
  trouble: AuditError | undefined;
}

const TIMEOUT_MS = 30_000;
const RETRY_MS = 60_000;

/** Hands each checkpoint to every keeper, one at a time and the newest first: it stands for all before it. */
export class Anchors {
  readonly #options: AnchorsOptions;
  readonly #keepings: readonly Keeping[];
  readonly #closing = new AbortController();
  #isClosed = false;

  constructor(options: AnchorsOptions) {
    this.#options = options;
    this.#keepings = options.keepers.map((keeper) => ({
      keeper,
      next: undefined,
      running: undefined,
      cancelRetry: undefined,
      trouble: undefined,
    }));
  }

  /** Set while a keeper does not have the last anchor, because it failed. */
  get trouble(): AuditError | undefined {
    return this.#keepings.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  /** The last anchors of a writer, from the keepers that give them back. One that cannot is told of, and left out. */
  async latest(writerId: string): Promise<readonly AuditCheckpoint[]> {
    const found = await Promise.all(
      this.#keepings.map(async ({ keeper }) => {
        try {
          const signal = AbortSignal.timeout(TIMEOUT_MS);
          return await keeper.latestAnchor?.(writerId, { signal });
        } catch (error) {
          this.#options.logger.error({ err: error, keeper: keeper.name }, 'audit anchor not read');
          return undefined;
        }
      }),
    );
    return found.filter((anchor) => anchor?.writerId === writerId).filter((anchor) => anchor !== undefined);
  }

  /** Takes note of a checkpoint that is durable. */
  offer(anchor: AuditCheckpoint): void {
    // One that comes when the time is up is in the trail; a later one stands for it.
    for (const keeping of this.#isClosed ? [] : this.#keepings) {
      keeping.next = anchor;
      this.#start(keeping);
    }
  }

  /**
   * Offers once more what is not kept; resolves when every keeper took it, or failed to. `signal` tells them that their
   * time is up.
   */
  async close(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#closing.abort(signal.reason), { once: true });
    await Promise.all(
      this.#keepings.map(async (keeping) => {
        if (keeping.next !== undefined) {
          this.#start(keeping);
        }
        await keeping.running;
        keeping.cancelRetry?.();
      }),
    );
    this.#isClosed = true;
  }

  #start(keeping: Keeping): void {
    keeping.cancelRetry?.();
    keeping.cancelRetry = undefined;
    keeping.running ??= this.#run(keeping).finally(() => (keeping.running = undefined));
  }

  async #run(keeping: Keeping): Promise<void> {
    const { logger, setTimer } = this.#options;
    const { keeper } = keeping;
    for (let anchor = keeping.next; anchor !== undefined; anchor = keeping.next) {
      keeping.next = undefined;
      const timeout = AbortSignal.timeout(TIMEOUT_MS);
      const signal = AbortSignal.any([timeout, this.#closing.signal]);
      try {
        await untilAborted(keeper.keepAnchor(anchor, { signal }), timeout);
        keeping.trouble = undefined;
      } catch (error) {
        logger.error({ err: error, keeper: keeper.name }, 'audit anchor not kept');
        keeping.trouble = new AuditError('anchor_failed', `${keeper.name} did not keep an anchor`, {
          cause: error,
        });
        keeping.next ??= anchor;
        keeping.cancelRetry = setTimer(() => this.#start(keeping), RETRY_MS, { keepsProcessAlive: false });
        return;
      }
    }
  }
}
