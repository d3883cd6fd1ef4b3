import { readFile, stat } from 'node:fs/promises';

import { untilAborted } from '../abort.ts';
import { createFactClock } from './fact-age.ts';
import type { FactAge, FactAges } from './fact-age.ts';

/** Told of what an operator wants to know of a file or a directory; a pino logger fits. */
export interface FactLogger {
  readonly info: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

/** Checked by whoever opens the file. */
export interface WatchedFileOptions<Content> {
  readonly path: string;
  readonly fact: FactAge['fact'];
  /** Makes something of the text. @throws {Error} when it cannot be used */
  readonly parse: (text: string) => Content | Promise<Content>;
  /** Told that a content is no longer the last one, once another is. @default nobody */
  readonly onReplaced?: ((old: Content) => void) | undefined;
  /** How often, at most, the file is looked at, in milliseconds. */
  readonly checkIntervalMs: number;
  /** How old what it said may become while it cannot be used, in milliseconds. */
  readonly limitMs: number;
  /** What it means that the file cannot be used: a constant, for the log. */
  readonly consequence: string;
  /** What is logged of a new content. @default nothing but the path */
  readonly describe?: ((content: Content) => object) | undefined;
  /** @default nobody */
  readonly logger: FactLogger | undefined;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What a file said when it could last be used. */
interface FileReading<Content> {
  readonly content: Content;
  /** When it last said so, in milliseconds since the Unix epoch. */
  readonly asOf: number;
  /** Why it cannot be used now. @default it can */
  readonly problem?: { readonly cause: unknown } | undefined;
}

/** A file that is read again when it changes. Nothing is open between two looks at it. */
export interface WatchedFile<Content> {
  /** Looks at the file first when the last look is `maxAgeMs` ago, or the interval. @throws {unknown} the signal's reason */
  readonly read: (options: {
    readonly signal: AbortSignal;
    readonly maxAgeMs?: number | undefined;
  }) => Promise<FileReading<Content>>;
  /** What it said when it could last be used, without a look. */
  readonly last: () => Content;
  /** Starts a look when one is due, so that a change is noticed while nobody asks. */
  readonly ages: FactAges;
}

/**
 * Reads a file and keeps what it says; a look at it costs one `stat`. A file that cannot be used is logged once, and
 * leaves what it said before.
 * @throws {Error} of the file system, or of `parse`
 */
export async function openWatchedFile<Content>(
  options: WatchedFileOptions<Content>,
): Promise<WatchedFile<Content>> {
  const { path, fact, parse, checkIntervalMs, limitMs, consequence, logger, now } = options;
  const clock = createFactClock(fact, limitMs, now);
  const parseFile = async (): Promise<Content> => parse(await readFile(path, 'utf8'));

  // The version is taken before the content: an edit in between is then seen at the next look.
  let version = await versionOf(path);
  let content = await parseFile();
  let asOf = now();
  let problem: { readonly version: string; readonly cause: unknown } | undefined;
  let checkedAt = asOf;
  let check: Promise<void> | undefined;
  clock.confirmed();

  async function look(startedAt: number): Promise<void> {
    let found = 'not found';
    try {
      found = await versionOf(path);
      if (found !== version) {
        const old = content;
        content = await parseFile();
        version = found;
        options.onReplaced?.(old);
        logger?.info({ path, ...options.describe?.(content) }, `${fact} file reloaded`);
      } else if (problem !== undefined) {
        logger?.info({ path }, `${fact} file usable again`);
      }
      problem = undefined;
      asOf = startedAt;
      clock.confirmed(startedAt);
    } catch (cause) {
      if (problem?.version !== found) {
        logger?.error({ path, err: cause }, `${fact} file not usable: ${consequence}`);
      }
      problem = { version: found, cause };
      clock.failed();
    }
  }

  /** Also when the clock was set back: nobody knows how long ago the last look was. */
  const isDue = (maxAgeMs: number): boolean => now() - checkedAt >= maxAgeMs || now() < checkedAt;

  /** Joins the look that is under way: two at once would race for what is kept. */
  function startLook(): Promise<void> {
    if (check === undefined) {
      checkedAt = now();
      check = look(checkedAt).finally(() => (check = undefined));
    }
    return check;
  }

  return {
    async read({ signal, maxAgeMs = checkIntervalMs }) {
      if (check !== undefined || isDue(Math.min(checkIntervalMs, maxAgeMs))) {
        await untilAborted(startLook(), signal);
      }
      return { content, asOf, problem: problem && { cause: problem.cause } };
    },
    last: () => content,
    ages() {
      if (isDue(checkIntervalMs)) {
        void startLook();
      }
      return clock.ages();
    },
  };
}

/**
 * Changes when the file is written, replaced, or its symbolic link or one above it is turned, as Kubernetes does with
 * `..data`. The change time is in it for copies that keep the time of their source.
 * @throws {TypeError} when it is no file; the file system's error
 */
async function versionOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true });
  // A pipe would keep whoever reads it waiting, for ever if nobody writes.
  if (!found.isFile()) {
    throw new TypeError(`${path} is not a file`);
  }
  const { mtimeNs, ctimeNs, dev, ino, size } = found;
  return `${mtimeNs}/${ctimeNs}/${dev}/${ino}/${size}`;
}
