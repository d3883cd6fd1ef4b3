import { constants } from 'node:fs';
import { stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import { anchorFileName, readAnchor, writeAnchor } from '../anchors/anchor-directory.ts';
import { checkWhole } from '../check-number.ts';
import { checkSinkName, type AuditSink } from '../delivery/sink.ts';
import { checkPath } from '../disk/check-path.ts';
import { platformFiles } from '../disk/platform-files.ts';
import { AuditError } from '../errors.ts';
import { safeJson } from '../event/safe-json.ts';

/** Which file events are written to and how much of them is kept. */
export interface FileSinkOptions {
  /** One JSON event per line. Created with mode 0600; its directory must exist. */
  readonly path: string;
  /** Names the cursor file. @default 'file' */
  readonly name?: string | undefined;
  /** Size at which the file is renamed to `path.1`, `path.1` to `path.2` and so on, in bytes, from 1. @default 64 MiB */
  readonly rotateBytes?: number | undefined;
  /** How many renamed files are kept; the oldest is deleted. 1 to 1000. @default 10 */
  readonly keepFiles?: number | undefined;
}

/** The options of a file sink, checked, with every default filled in. */
type ResolvedFileSinkOptions = {
  readonly [Name in keyof FileSinkOptions]-?: NonNullable<FileSinkOptions[Name]>;
};

/** @throws {TypeError | RangeError} for an option that is missing or out of its range */
function resolveFileSinkOptions(options: FileSinkOptions): ResolvedFileSinkOptions {
  const { path, name = 'file', rotateBytes = 64 * 1024 ** 2, keepFiles = 10 } = options;
  checkPath('path', path);
  checkSinkName('name', name);
  checkWhole('rotateBytes', rotateBytes, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('keepFiles', keepFiles, 1, MAX_KEPT_FILES);
  return { path, name, rotateBytes, keepFiles };
}

const { open, remove, rename, syncDirectory } = platformFiles;

// A rotation renames each of them.
const MAX_KEPT_FILES = 1000;
const NEWLINE = 0x0a;

/**
 * Appends events to a file for a log shipper to follow. `deliver` resolves after `fdatasync` and rejects with
 * AuditError `delivery_failed`. The last checkpoint is beside it, in `path.anchor-<writer>.json`. After a crash the last batch may be there twice; drop repeated ids. One process for
 * each file.
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export function createFileSink(options: FileSinkOptions): AuditSink {
  const { path, name, rotateBytes, keepFiles } = resolveFileSinkOptions(options);

  async function write(lines: string): Promise<void> {
    try {
      if ((await sizeOf(path)) >= rotateBytes) {
        await rotate(path, keepFiles);
      }
      await append(path, lines);
    } catch (cause) {
      throw new AuditError('delivery_failed', `${path} could not be written`, { cause });
    }
  }

  // A sink may serve several trails: two that rotate at once would rename the same file.
  let previous: Promise<unknown> = Promise.resolve();
  return {
    name,
    deliver(events, { signal }) {
      const turn = previous.then(() => {
        signal.throwIfAborted();
        return write(events.map((event) => `${safeJson(event)}\n`).join(''));
      });
      previous = turn.catch(() => {});
      return turn;
    },
    async keepAnchor(anchor) {
      await writeAnchor(dirname(path), anchorNameOf(path, anchor.writerId), anchor);
    },
    latestAnchor: (writerId) => readAnchor(dirname(path), anchorNameOf(path, writerId)),
  };
}

function anchorNameOf(path: string, writerId: string): string {
  return `${basename(path)}.anchor-${anchorFileName(writerId)}`;
}

async function append(path: string, lines: string): Promise<void> {
  // Windows has no O_NOFOLLOW, and lets few users make a link.
  const flags = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    const isNew = (await file.stat()).size === 0;
    await file.appendFile((await endsInsideLine(file)) ? `\n${lines}` : lines);
    await file.datasync();
    if (isNew) {
      await syncDirectory(dirname(path));
    }
  } finally {
    await file.close();
  }
}

// What a crash cut off stays a line of its own, and spoils no event.
async function endsInsideLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) {
    return false;
  }
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}

async function rotate(path: string, keepFiles: number): Promise<void> {
  await ignoreMissing(remove(`${path}.${keepFiles}`));
  for (let number = keepFiles - 1; number > 0; number -= 1) {
    await ignoreMissing(rename(`${path}.${number}`, `${path}.${number + 1}`));
  }
  await rename(path, `${path}.1`);
  await syncDirectory(dirname(path));
}

async function sizeOf(path: string): Promise<number> {
  return (await ignoreMissing(stat(path)))?.size ?? 0;
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
