import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { PublicError } from '../errors.ts';
import { digestOf } from '../exchange/digest.ts';
import type { JsonObject } from '../json.ts';
import type { AuditOutcome, IdempotencyStore, KeepOptions, Logger, RepeatableCall } from '../ports.ts';

/** The `_meta` of a request under which a client names what it may repeat. */
const KEY_NAME = 'mcp-parts/idempotency-key';
const MAX_KEY_LENGTH = 255;
/** How often one that waits for the first call looks again. */
const LOOK_AGAIN_MS = 50;
/** How long nothing is heard of a process until a call of its is no longer believed to run. */
const LEASE_MS = 15_000;

/** What tells one call from another. */
interface CallIdentity {
  readonly callerId: string;
  readonly target: string;
  /** As sent. */
  readonly arguments: unknown;
}

/** What all repetitions need. */
interface RepeatPorts {
  readonly idempotency: IdempotencyStore;
  readonly logger: Logger;
}

/** How a call ended: with an answer, or as the trail has it. */
type Ending = { readonly result: JsonObject; readonly isFailure: boolean } | AuditOutcome['result'];

/** One call of a tool whose repetitions give the same answer; asked at its start and told of its end. */
export class Repeat {
  readonly #ports: RepeatPorts;
  readonly #kept: KeepOptions;
  #renewing: NodeJS.Timeout | undefined;
  readonly #key: string;
  readonly #running: RepeatableCall;
  #isHeld = false;
  #isOver = false;

  /** @throws {PublicError} `invalid_idempotency_key` */
  constructor(call: CallIdentity, meta: JsonObject, windowMs: number, ports: RepeatPorts) {
    const given = meta[KEY_NAME];
    if (given !== undefined && (typeof given !== 'string' || given === '' || given.length > MAX_KEY_LENGTH)) {
      throw new PublicError(
        'invalid_idempotency_key',
        `Nothing was done: _meta["${KEY_NAME}"] must be a text of 1 to ${MAX_KEY_LENGTH} characters.`,
      );
    }
    this.#ports = ports;
    this.#kept = { ttlMs: windowMs, owner: call.callerId };
    const fingerprint = digestOf(call.arguments ?? {}).toString('base64url');
    const named = given === undefined ? { fingerprint } : { given };
    this.#key = digestOf([call.callerId, call.target, named]).toString('base64url');
    this.#running = {
      state: 'running',
      holder: randomUUID(),
      fingerprint,
      // What a caller does again after the window is something else, and a key of theirs always means the same.
      upstreamKey: given === undefined ? randomUUID() : this.#key,
    };
  }

  /** For an upstream that knows `Idempotency-Key`. */
  get upstreamKey(): string {
    return this.#running.upstreamKey;
  }

  /**
   * The answer of the first call, once that has ended; `undefined` for the first.
   *
   * @throws {PublicError} `idempotency_conflict`, `idempotency_unknown`: nothing was done.
   */
  async begin(signal: AbortSignal): Promise<JsonObject | undefined> {
    const { idempotency: store } = this.#ports;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- It waits for the first call.
      const known = await store.claim(this.#key, this.#running, { ...this.#kept, leaseMs: LEASE_MS });
      if (known === undefined) {
        this.#isHeld = true;
        this.#keepAlive();
        if (this.#isOver) {
          // oxlint-disable-next-line no-await-in-loop -- Nobody waits any more.
          await this.release();
        }
        return undefined;
      }
      if (known.fingerprint !== this.#running.fingerprint) {
        throw new PublicError(
          'idempotency_conflict',
          'Nothing was done: this idempotency key was used with other arguments. Take a new key for a new call.',
        );
      }
      if (known.state === 'done') {
        return known.result;
      }
      if (known.state === 'unknown') {
        throw new PublicError(
          'idempotency_unknown',
          'Not done again: the same call was made before, and whether it took effect is not known. Look at what it would have changed first.',
        );
      }
      // oxlint-disable-next-line no-await-in-loop -- As above.
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** Says what a repetition gets. The call is over by then, and no fault of the store changes how it ended. */
  async settle(ending: Ending): Promise<void> {
    try {
      if (typeof ending === 'object') {
        await (ending.isFailure
          ? this.release()
          : this.#keep({ ...this.#running, state: 'done', result: ending.result }));
      } else if (ending === 'failure' || ending === 'denied') {
        await this.release();
      } else {
        // Nobody does it again unseen.
        await this.#keep({ ...this.#running, state: 'unknown' });
      }
    } catch (error) {
      this.#ports.logger.error({ err: error }, 'call not remembered');
    }
  }

  /** The call did nothing, and may be made again. */
  async release(): Promise<void> {
    if (this.#end()) {
      await this.#ports.idempotency.release(this.#key, this.#running);
    }
  }

  /** A store that is out of reach for a while lets nobody else claim the key either. */
  #keepAlive(): void {
    const { idempotency, logger } = this.#ports;
    const renew = () => {
      idempotency
        .renew(this.#key, this.#running, { leaseMs: LEASE_MS })
        .catch((error: unknown) => logger.warn({ err: error }, 'running call not renewed'));
    };
    this.#renewing = setInterval(renew, LEASE_MS / 3).unref();
  }

  /** Whether there is something to be given back. */
  #end(): boolean {
    clearInterval(this.#renewing);
    this.#isOver = true;
    const wasHeld = this.#isHeld;
    this.#isHeld = false;
    return wasHeld;
  }

  async #keep(call: RepeatableCall): Promise<void> {
    if (this.#end()) {
      await this.#ports.idempotency.keep(this.#key, call, this.#kept);
    }
  }
}

/** The answer of an earlier call, marked so that a client can tell. */
export function replayed(result: JsonObject): JsonObject {
  // The kit makes it, as an object.
  const meta = (result['_meta'] ?? {}) as JsonObject;
  return { ...result, _meta: { ...meta, 'mcp-parts/replayed': true } };
}
