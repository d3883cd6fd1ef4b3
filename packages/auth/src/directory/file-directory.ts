import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { checkPath, parseDocument } from '../document-file.ts';
import { openWatchedFile } from '../facts/watched-file.ts';
import type { WatchedFile } from '../facts/watched-file.ts';
import type { Directory, DirectoryLogger } from './directory.ts';

const userId = z
  .string()
  .regex(/^[a-z][a-z0-9+.-]*:[^#]+#.+$/i, 'must look like "https://issuer.example#subject"');

const directorySchema = z.strictObject({
  version: z.literal(1),
  users: z.record(userId, z.strictObject({ groups: z.array(z.string().min(1).max(512)) })),
});

/** Where the file is, and how soon a change of it counts. */
export interface FileDirectoryOptions {
  /** A YAML or JSON file: `{ version: 1, users: { "issuer#subject": { groups: [...] } } }`. */
  readonly path: string;
  /** How often, at most, the file is looked at for changes, in milliseconds: 0 to 2_147_483_647. @default 1_000 */
  readonly checkIntervalMs?: number | undefined;
  /** Told when a changed file is taken or refused; a pino logger fits. @default nobody */
  readonly logger?: DirectoryLogger | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

interface ResolvedFileDirectoryOptions {
  readonly path: string;
  readonly checkIntervalMs: number;
  readonly logger: DirectoryLogger | undefined;
  readonly now: () => number;
}

/**
 * Fills in and checks.
 * @throws {TypeError} without a path
 * @throws {RangeError} naming the number
 */
function resolveFileDirectoryOptions(options: FileDirectoryOptions): ResolvedFileDirectoryOptions {
  const { path, checkIntervalMs = 1_000, logger, now = () => Date.now() } = options;
  checkPath('path', path);
  checkWhole('checkIntervalMs', checkIntervalMs, 0, MAX_TIMER_MS);
  return { path, checkIntervalMs, logger, now };
}

/**
 * A directory in one file. A changed file is taken on the next question; while it is missing or badly edited, which is
 * logged, questions are rejected, and the authenticator bridges that as any outage of a directory (`groupsMaxStaleMs`).
 * Reads the file before it resolves.
 * @throws {TypeError} naming the file, the key and the problem; the file system's error when unreadable
 * @throws {RangeError} naming the option
 */
export async function createFileDirectory(options: FileDirectoryOptions): Promise<Directory> {
  const { path, checkIntervalMs, logger, now } = resolveFileDirectoryOptions(options);
  const file = await openWatchedFile({
    path,
    fact: 'directory',
    parse: (text) => readListedUsers(text, path),
    checkIntervalMs,
    // What it said before is no answer: whoever was taken out of it may be the edit.
    limitMs: checkIntervalMs,
    consequence: 'groups are not known until it is',
    describe: ({ users }) => ({ users }),
    logger,
    now,
  });

  return followingDirectory(file);
}

/** Asks what a file says now; while it cannot be used, nothing. */
export function followingDirectory(
  file: WatchedFile<Pick<Directory, 'groupsOf' | 'knowsIssuer'>>,
): Directory {
  return {
    async groupsOf(principal, { signal }) {
      const { content, problem } = await file.read({ signal });
      if (problem !== undefined) {
        throw new Error('the directory file is not usable', problem);
      }
      return content.groupsOf(principal, { signal });
    },
    knowsIssuer: (issuer) => file.last().knowsIssuer?.(issuer) ?? true,
    ages: file.ages,
  };
}

/** What one version of a file says. */
interface ListedUsers extends Pick<Directory, 'groupsOf' | 'knowsIssuer'> {
  /** How many there are. */
  readonly users: number;
}

/** @throws {TypeError} as `createFileDirectory` does */
export function readListedUsers(text: string, path: string): ListedUsers {
  return directoryOf(groupsIn(text, path));
}

function directoryOf(groups: ReadonlyMap<string, readonly string[]>): ListedUsers {
  return {
    groupsOf: async ({ id }) => groups.get(id) ?? [],
    knowsIssuer: (issuer) => [...groups.keys()].some((id) => id.startsWith(`${issuer}#`)),
    users: groups.size,
  };
}

/**
 * Reads and checks the file: groups by user id.
 * @throws {TypeError} as `createFileDirectory` does
 */
export async function readGroups(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  return groupsIn(await readFile(path, 'utf8'), path);
}

function groupsIn(text: string, path: string): ReadonlyMap<string, readonly string[]> {
  const { users } = parseDocument(text, directorySchema, path);
  return new Map(Object.entries(users).map(([id, user]) => [id, Object.freeze([...new Set(user.groups)])]));
}
