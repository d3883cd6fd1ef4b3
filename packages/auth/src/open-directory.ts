import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import type { Directory, DirectoryLogger } from './directory/directory.ts';
import { createFileDirectory } from './directory/file-directory.ts';
import { checkPath, parseDocument } from './document-file.ts';
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
    /** A PEM file with the authorities that vouch for the servers. */
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

/**
 * Opens the directory that a file describes or is. Users in the file are read again when it changes; where an LDAP
 * directory is, is not.
 * @throws {TypeError} naming the file or option, the key and the problem; the file system's error when unreadable
 * @throws {RangeError} naming the number
 */
export async function openDirectory(options: OpenDirectoryOptions): Promise<OpenDirectory | LdapDirectory> {
  const { path, issuer, password, logger } = resolveOpenDirectoryOptions(options);
  const content = await readFile(path, 'utf8');
  if (!('ldap' in parseDocument(content, anyDocument, path))) {
    const directory = await createFileDirectory({ path, logger });
    const close = async (): Promise<void> => undefined;
    return { ...directory, close, [Symbol.asyncDispose]: close };
  }
  const { caFile, bind, users, ...rest } = parseDocument(content, ldapDocument, path).ldap;
  if (password === undefined) {
    throw new TypeError(`password is required: ${path} names an LDAP directory`);
  }
  return openLdapDirectory({
    ...rest,
    logger,
    tls: caFile === undefined ? undefined : { ca: await readFile(caFile, 'utf8') },
    bind: { ...bind, password },
    users: { ...users, issuer },
  });
}
