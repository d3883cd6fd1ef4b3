import { KeyObject } from 'node:crypto';

import type { AnchorKeeper } from './anchors/anchor-keeper.ts';
import { DEFAULT_CADENCE } from './chain/cadence.ts';
import { isSigningKey, isVerificationKey, type AuditSigner } from './chain/signer.ts';
import { checkWhole, MAX_TIMER_MS } from './check-number.ts';
import { systemTimer, type SetTimer } from './clock.ts';
import { checkSinkName, type AuditSink } from './delivery/sink.ts';
import { checkPath } from './disk/check-path.ts';
import { nodeFileSystem, type AuditFileSystem } from './disk/file-system.ts';
import { silentLogger, type Logger } from './logger.ts';
import type { OpenTasksOptions } from './tasks/open-tasks.ts';

/** How a trail is opened. */
export interface AuditTrailOptions {
  /** Holds the trail of this one process: its segments, cursors and lock. Created with mode 0700. Local disk. */
  readonly directory: string;
  /** Where events are shipped; each at its own pace. May be empty. */
  readonly sinks: readonly AuditSink[];
  /**
   * Who keeps the last checkpoint besides the sinks that do, such as `createAnchorDirectory`. A start goes on only with
   * a trail that the last anchor fits. @default nobody
   */
  readonly anchors?: readonly AnchorKeeper[] | undefined;
  /** Written into each event. */
  readonly server: { readonly name: string; readonly version: string };
  /** Reports repairs and failures. @default silent */
  readonly logger?: Logger | undefined;
  /** How long an event that is not urgent may wait before it is shipped, in milliseconds, 1 to 2147483647. @default 10000 */
  readonly deliveryIntervalMs?: number | undefined;
  /** Size at which a segment file is followed by a new one, in bytes, from 1. @default 8 MiB */
  readonly segmentBytes?: number | undefined;
  /** Whether segments that are full are compressed (zstd, some 8 times smaller). @default true */
  readonly compressSegments?: boolean | undefined;
  /**
   * What signs checkpoints: a private key, ed25519 or P-256, or a signer that has one in a KMS or an HSM. The public
   * keys of those before it stay beside the trail. @default an ed25519 key that is made once and kept in the directory
   * with mode 0600; whoever can read it can also rebuild the trail, so a key from elsewhere proves more
   */
  readonly signingKey?: KeyObject | AuditSigner | undefined;
  /**
   * The public keys of earlier signing keys that a start believes besides the present one. @default those that lie beside
   * the trail, where whoever can write may lay one; that another key took over is an event, `audit/signing_key_changed`
   */
  readonly verificationKeys?: readonly KeyObject[] | undefined;
  /** A checkpoint follows at the latest after so many events, from 1. @default 1000 */
  readonly checkpointEvents?: number | undefined;
  /** A checkpoint follows at the latest so long after an event, in milliseconds, 1 to 2147483647. @default 60000 */
  readonly checkpointIntervalMs?: number | undefined;
  /** Space kept for the outcomes of running calls when the disk is full, in bytes, 1 to 1 GiB. @default 1 MiB */
  readonly reserveBytes?: number | undefined;
  /** Free space below which `health()` is `degraded`, in bytes, from 1. @default 256 MiB */
  readonly minFreeBytes?: number | undefined;
  /**
   * The trail's share of the disk, in bytes, 1 MiB to 2^53 - 1. When it is used up no intent is recorded any more, so
   * nothing that must be recorded is done; outcomes are. `keepDays` makes room. @default 16 GiB
   */
  readonly maxBytes?: number | undefined;
  /** How long delivered events are kept here, in whole days, 1 to 36500. @default they are never removed */
  readonly keepDays?: number | undefined;
  /**
   * How much the refusals that `refuse()` records may take of the disk in a day, in bytes, 65536 to 1 TiB: half for
   * callers that are known, half for strangers. What is more is counted. @default 64 MiB
   */
  readonly refusalBytesPerDay?: number | undefined;
  /**
   * What became of the task that an intent without an outcome names: `open` while somebody will end it, its outcome
   * once it has ended and whoever ended it has recorded that, `undefined` where nobody knows it. Asked at the start
   * and every 10 s, so that an intent whose task ended in another process gets its outcome here too.
   * @default nobody knows it: after a start, such an intent ends as any other that was interrupted
   */
  readonly outcomeOfTask?: OpenTasksOptions['outcomeOfTask'] | undefined;
  /** How long `close()` tries to ship what is left, in milliseconds, 1 to 2147483647. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Wall clock in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Jitter of the back-off, in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
  /** Timers of delivery, checkpoints and maintenance. @default setTimeout */
  readonly setTimer?: SetTimer | undefined;
  /** File operations. @default the machine's */
  readonly fileSystem?: AuditFileSystem | undefined;
}

/** The options that have no default. */
type Optional = 'signingKey' | 'verificationKeys' | 'keepDays';

/** The options of a trail, checked, with every default filled in. Without `keepDays` nothing is removed. */
export type ResolvedAuditTrailOptions = Pick<AuditTrailOptions, Optional> & {
  readonly [Name in Exclude<keyof AuditTrailOptions, Optional>]-?: Exclude<
    AuditTrailOptions[Name],
    undefined
  >;
};

/** The default of `minFreeBytes`, which `mcp-audit doctor` goes by too: it knows no server's options. */
export const DEFAULT_MIN_FREE_BYTES = 256 * 1024 ** 2;

// The reserve is written in one piece.
const MAX_RESERVE_BYTES = 1024 ** 3;
const MAX_KEEP_DAYS = 36_500;
// Below this a few calls would use it up.
const MIN_MAX_BYTES = 1024 ** 2;
// Room for some sums every hour.
const MIN_REFUSAL_BYTES_PER_DAY = 64 * 1024;
const MAX_REFUSAL_BYTES_PER_DAY = 1024 ** 4;

/** @throws {TypeError | RangeError} for an option that is missing or out of its range */
export function resolveAuditTrailOptions(options: AuditTrailOptions): ResolvedAuditTrailOptions {
  const resolved = {
    directory: options.directory,
    sinks: options.sinks,
    anchors: options.anchors ?? [],
    server: options.server,
    logger: options.logger ?? silentLogger,
    deliveryIntervalMs: options.deliveryIntervalMs ?? 10_000,
    segmentBytes: options.segmentBytes ?? 8 * 1024 ** 2,
    compressSegments: options.compressSegments ?? true,
    signingKey: options.signingKey,
    verificationKeys: options.verificationKeys,
    checkpointEvents: options.checkpointEvents ?? DEFAULT_CADENCE.checkpointEvents,
    checkpointIntervalMs: options.checkpointIntervalMs ?? DEFAULT_CADENCE.checkpointIntervalMs,
    reserveBytes: options.reserveBytes ?? 1024 ** 2,
    minFreeBytes: options.minFreeBytes ?? DEFAULT_MIN_FREE_BYTES,
    maxBytes: options.maxBytes ?? 16 * 1024 ** 3,
    keepDays: options.keepDays,
    refusalBytesPerDay: options.refusalBytesPerDay ?? 64 * 1024 ** 2,
    outcomeOfTask: options.outcomeOfTask ?? (() => undefined),
    closeTimeoutMs: options.closeTimeoutMs ?? 5000,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    setTimer: options.setTimer ?? systemTimer,
    fileSystem: options.fileSystem ?? nodeFileSystem,
  };
  checkPath('directory', resolved.directory);
  checkSinks(resolved.sinks);
  checkAnchors(resolved.anchors);
  checkServer(resolved.server);
  checkSigningKey(resolved.signingKey);
  checkVerificationKeys(resolved.verificationKeys);
  checkWhole('deliveryIntervalMs', resolved.deliveryIntervalMs, 1, MAX_TIMER_MS);
  checkWhole('segmentBytes', resolved.segmentBytes, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('checkpointEvents', resolved.checkpointEvents, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('checkpointIntervalMs', resolved.checkpointIntervalMs, 1, MAX_TIMER_MS);
  checkWhole('reserveBytes', resolved.reserveBytes, 1, MAX_RESERVE_BYTES);
  checkWhole('minFreeBytes', resolved.minFreeBytes, 1, Number.MAX_SAFE_INTEGER);
  checkWhole(
    'refusalBytesPerDay',
    resolved.refusalBytesPerDay,
    MIN_REFUSAL_BYTES_PER_DAY,
    MAX_REFUSAL_BYTES_PER_DAY,
  );
  checkWhole('maxBytes', resolved.maxBytes, MIN_MAX_BYTES, Number.MAX_SAFE_INTEGER);
  checkWhole('closeTimeoutMs', resolved.closeTimeoutMs, 1, MAX_TIMER_MS);
  if (resolved.keepDays !== undefined) {
    checkWhole('keepDays', resolved.keepDays, 1, MAX_KEEP_DAYS);
  }
  return resolved;
}

function checkSigningKey(key: AuditTrailOptions['signingKey']): void {
  if (key === undefined) {
    return;
  }
  const isUsable =
    key instanceof KeyObject
      ? isSigningKey(key)
      : key.publicKey instanceof KeyObject &&
        isVerificationKey(key.publicKey) &&
        typeof key.sign === 'function';
  if (!isUsable) {
    throw new TypeError(
      'signingKey must be a private ed25519 or P-256 key, or a signer with the public key of one, got neither',
    );
  }
}

function checkVerificationKeys(keys: readonly KeyObject[] = []): void {
  if (!Array.isArray(keys) || !keys.every((key) => key instanceof KeyObject && isVerificationKey(key))) {
    throw new TypeError('verificationKeys must be public ed25519 or P-256 keys, got something else');
  }
}

function checkSinks(sinks: readonly AuditSink[]): void {
  if (!Array.isArray(sinks)) {
    throw new TypeError(`sinks must be a list, got ${typeof sinks}`);
  }
  const names = sinks.map((sink) => sink.name);
  for (const [index, name] of names.entries()) {
    checkSinkName(`sinks[${index}].name`, name);
    if (names.indexOf(name) !== index) {
      throw new TypeError(`sinks must have different names, got ${name} twice`);
    }
  }
}

function checkAnchors(anchors: readonly AnchorKeeper[]): void {
  if (!Array.isArray(anchors) || anchors.some((keeper) => typeof keeper?.keepAnchor !== 'function')) {
    throw new TypeError('anchors must be a list of what keeps anchors, got something else');
  }
}

function checkServer(server: AuditTrailOptions['server']): void {
  if (typeof server?.name !== 'string' || typeof server.version !== 'string') {
    throw new TypeError(`server must have a name and a version, got ${JSON.stringify(server)}`);
  }
}
