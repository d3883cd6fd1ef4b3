import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import type { Directory, DirectoryLogger } from './directory/directory.ts';
import { followingDirectory, readListedUsers } from './directory/file-directory.ts';
import { checkPath, parseDocument } from './document-file.ts';
import { openWatchedFile } from './facts/watched-file.ts';
import { openLdapDirectory } from './ldap/ldap-directory.ts';
import type { LdapDirectory } from './ldap/ldap-directory.ts';
import { checkIssuerName } from './secure-url.ts';

const text = z.string().min(1);
const ldapDocument = z.strictObject({
  version: z.literal(1),
  ldap: z.strictObject({
    urls: z.array(text).min(1),
    startTls: z.boolean().optional(),
    allowCleartextOnLoopback: z.boolean().optional(),
    /** A PEM file with the authorities that vouch for the servers, read at each connection. */
    caFile: text.optional(),
    bind: z.strictObject({ dn: text }),
    users: z.strictObject({ baseDn: text, attribute: text, objectClass: text.optional() }),
    groups: z.strictObject({
      baseDn: text,
      names: z.record(z.string(), text),
      strategy: z.enum(['auto', 'tokenGroups', 'inChain', 'walk', 'memberOf']).optional(),
      memberAttribute: text.optional(),
    }),
    timeoutMs: z.number().optional(),
    maxInFlight: z.number().optional(),
  }),
});
const anyDocument = z.looseObject({ ldap: z.unknown().optional() });

/** The file that a directory is in or described by, and what does not belong into that file. */
export interface OpenDirectoryOptions {
  /** A YAML or JSON file that has either `users` and their groups, or `ldap`: where these can be asked for. */
  readonly path: string;
  /** Whose users the LDAP directory knows. A file says so for each user. */
  readonly issuer: string;
  /** The password of `ldap.bind.dn`: not a thing to keep in that file. @default none: a file of users needs none */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /** Told when a changed file is taken or refused, or a server of the directory fails or recovers. @default nobody */
  readonly logger?: DirectoryLogger | undefined;
}

/** @throws {TypeError} naming the option and the value */
function resolveOpenDirectoryOptions(options: OpenDirectoryOptions): OpenDirectoryOptions {
  checkPath('path', options.path);
  checkIssuerName(options.issuer, 'issuer');
  return options;
}

/** A directory to close. */
export interface OpenDirectory extends Directory {
  /** Cuts all connections; what is being asked fails. */
  readonly close: () => Promise<void>;
  /** The same as `close`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

const CHECK_INTERVAL_MS = 1_000;
/** A directory that the file describes no longer may still be asked by those who came before: as long as they wait. */
const RETIRE_AFTER_MS = 10_000;

/**
 * Opens the directory that a file describes or is, and follows the file: a change counts from the next question on. While
 * the file is missing or cannot be used, which is logged, questions are rejected, also where it names an LDAP directory: what
 * was taken out of it may be the edit.
 * @throws {TypeError} naming the file or option, the key and the problem; the file system's error when unreadable
 * @throws {RangeError} naming the number
 */
export async function openDirectory(options: OpenDirectoryOptions): Promise<OpenDirectory> {
  const resolved = resolveOpenDirectoryOptions(options);
  const open = new Set<DescribedDirectory>();
  const timers = new Set<NodeJS.Timeout>();
  const file = await openWatchedFile({
    path: resolved.path,
    fact: 'directory',
    async parse(text) {
      const directory = await readDirectory(text, resolved);
      open.add(directory);
      return directory;
    },
    onReplaced(old) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        open.delete(old);
        void old.close?.();
      }, RETIRE_AFTER_MS).unref();
      timers.add(timer);
    },
    checkIntervalMs: CHECK_INTERVAL_MS,
    limitMs: CHECK_INTERVAL_MS,
    consequence: 'groups are not known until it is',
    describe: ({ users }) => ({ users }),
    logger: resolved.logger,
    now: () => Date.now(),
  });

  const close = async (): Promise<void> => {
    timers.forEach(clearTimeout);
    await Promise.all([...open].map(async (directory) => directory.close?.()));
  };
  return { ...followingDirectory(file), close, [Symbol.asyncDispose]: close };
}

/** What one version of a file describes or is. */
export interface DescribedDirectory extends Pick<Directory, 'groupsOf' | 'knowsIssuer'> {
  /** How many the file lists. @default it names an LDAP directory */
  readonly users?: number | undefined;
  /** Only an LDAP directory can say how somebody comes to a group. */
  readonly membershipsOf?: LdapDirectory['membershipsOf'] | undefined;
  readonly close?: (() => Promise<void>) | undefined;
}

/** @throws {TypeError | RangeError} as {@link openDirectory} does */
export async function readDirectory(
  content: string,
  { path, issuer, password, logger }: OpenDirectoryOptions,
): Promise<DescribedDirectory> {
  if (!('ldap' in parseDocument(content, anyDocument, path))) {
    return readListedUsers(content, path);
  }
  const { caFile, bind, users, ...rest } = parseDocument(content, ldapDocument, path).ldap;
  if (password === undefined) {
    throw new TypeError(`password is required: ${path} names an LDAP directory`);
  }
  const ca = caFile === undefined ? undefined : () => readFile(caFile, 'utf8');
  // What is missing is told now, not at the first connection.
  await ca?.();
  return openLdapDirectory({
    ...rest,
    logger,
    tls: ca && { ca },
    bind: { ...bind, password },
    users: { ...users, issuer },
  });
}
