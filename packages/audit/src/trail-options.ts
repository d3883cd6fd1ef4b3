import type { KeyObject } from 'node:crypto';

import { systemTimer, type SetTimer } from './clock.ts';
import type { AuditSink } from './delivery/sink.ts';
import { nodeFileSystem, type AuditFileSystem } from './disk/file-system.ts';
import { silentLogger, type Logger } from './logger.ts';

/** How a trail is opened. */
export interface AuditTrailOptions {
  /** Holds the trail of this one process: its segments, cursors and lock. Created with mode 0700. Local disk. */
  readonly directory: string;
  /** Where events are shipped; each at its own pace. May be empty. */
  readonly sinks: readonly AuditSink[];
  /** Written into each event. */
  readonly server: { readonly name: string; readonly version: string };
  /** Reports repairs and failures. @default silent */
  readonly logger?: Logger;
  /** How long an event that is not urgent may wait before it is shipped, in ms. @default 10000 */
  readonly deliveryIntervalMs?: number;
  /** Size at which a segment file is followed by a new one, in bytes. @default 8 MiB */
  readonly segmentBytes?: number;
  /**
   * The private ed25519 key that signs checkpoints. @default one that is made once and kept in the directory with
   * mode 0600; whoever can read it can also rebuild the trail, so a key from elsewhere proves more
   */
  readonly signingKey?: KeyObject;
  /** A checkpoint follows at the latest after so many events. @default 1000 */
  readonly checkpointEvents?: number;
  /** A checkpoint follows at the latest so long after an event, in ms. @default 60000 */
  readonly checkpointIntervalMs?: number;
  /** Space kept for the outcomes of running calls when the disk is full, in bytes. @default 1 MiB */
  readonly reserveBytes?: number;
  /** Free space below which `health()` is `degraded`, in bytes. @default 256 MiB */
  readonly minFreeBytes?: number;
  /** How long delivered events are kept here, in days. @default they are never removed */
  readonly keepDays?: number;
  /** How long `close()` tries to ship what is left, in ms. @default 5000 */
  readonly closeTimeoutMs?: number;
  /** Wall clock in ms since the epoch. @default Date.now */
  readonly now?: () => number;
  /** Jitter of the back-off, in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** Timers of delivery. @default setTimeout */
  readonly setTimer?: SetTimer;
  /** File operations. @default the machine's */
  readonly fileSystem?: AuditFileSystem;
}

/** The options with every default filled in. */
export type Settings = Required<Omit<AuditTrailOptions, 'signingKey'>>;

/** @throws TypeError or RangeError for an option out of its range */
export function checkedOptions(options: AuditTrailOptions): Settings {
  const names = options.sinks.map((sink) => sink.name);
  for (const [index, name] of names.entries()) {
    if (!/^[a-z0-9-]{1,64}$/.test(name)) throw new TypeError(`A sink's name is a-z, 0-9 and -, got ${name}`);
    if (names.indexOf(name) !== index) throw new TypeError(`Two sinks are named ${name}`);
  }
  const {
    deliveryIntervalMs = 10_000,
    segmentBytes = 8 * 1024 * 1024,
    checkpointEvents = 1000,
    checkpointIntervalMs = 60_000,
    reserveBytes = 1024 * 1024,
    minFreeBytes = 256 * 1024 * 1024,
    closeTimeoutMs = 5000,
  } = options;
  const numbers = {
    deliveryIntervalMs,
    segmentBytes,
    checkpointEvents,
    checkpointIntervalMs,
    reserveBytes,
    minFreeBytes,
    closeTimeoutMs,
    keepDays: options.keepDays ?? Infinity,
  };
  for (const [name, value] of Object.entries(numbers))
    if (!(value > 0)) throw new RangeError(`${name} must be positive, got ${value}`);
  return {
    logger: silentLogger,
    now: Date.now,
    random: Math.random,
    setTimer: systemTimer,
    fileSystem: nodeFileSystem,
    ...options,
    ...numbers,
  };
}
