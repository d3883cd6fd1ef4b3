import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import type { Directory } from './directory/directory.ts';
import { createFileDirectory } from './directory/file-directory.ts';
import type { FileDirectoryOptions } from './directory/file-directory.ts';
import { parseDocument } from './document-file.ts';
import { openLdapDirectory } from './ldap/ldap-directory.ts';
import type { LdapDirectory } from './ldap/ldap-directory.ts';

const text = z.string().min(1);
const ldapDocument = z.strictObject({
  version: z.literal(1),
  ldap: z.strictObject({
    urls: z.array(text).min(1),
    startTls: z.boolean().exactOptional(),
    allowCleartextOnLoopback: z.boolean().exactOptional(),
    /** A PEM file with the authorities that vouch for the servers. */
    caFile: text.exactOptional(),
    bind: z.strictObject({ dn: text }),
    users: z.strictObject({ baseDn: text, attribute: text, objectClass: text.exactOptional() }),
    groups: z.strictObject({
      baseDn: text,
      names: z.record(z.string(), text),
      strategy: z.enum(['auto', 'tokenGroups', 'inChain', 'walk', 'memberOf']).exactOptional(),
      memberAttribute: text.exactOptional(),
    }),
    timeoutMs: z.number().exactOptional(),
    maxInFlight: z.number().exactOptional(),
  }),
});
const anyDocument = z.looseObject({ ldap: z.unknown().optional() });

export interface OpenDirectoryOptions {
  /** A YAML or JSON file that has either `users` and their groups, or `ldap`: where these can be asked for. */
  readonly path: string;
  /** Whose users the LDAP directory knows. A file says so for each user. */
  readonly issuer: string;
  /** The password of `ldap.bind.dn`: not a thing to keep in that file. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  /** Told when a changed file is taken or refused, or a server of the directory fails or recovers. @default nobody */
  readonly logger?: NonNullable<FileDirectoryOptions['logger']> | undefined;
}

/**
 * Opens the directory that a file describes or is. Users in the file are read again when it changes; where an LDAP
 * directory is, is not.
 * @throws TypeError or RangeError naming the file or option, the key and the problem; the file system's error when
 * unreadable
 */
export async function openDirectory(
  options: OpenDirectoryOptions,
): Promise<(Directory & AsyncDisposable) | LdapDirectory> {
  const { path, issuer, password, logger } = options;
  const content = await readFile(path, 'utf8');
  if (!('ldap' in parseDocument(content, anyDocument, path))) {
    const directory = await createFileDirectory({ path, ...(logger && { logger }) });
    return { ...directory, [Symbol.asyncDispose]: async () => undefined };
  }
  const { caFile, bind, users, ...rest } = parseDocument(content, ldapDocument, path).ldap;
  if (password === undefined) throw new TypeError(`password is required: ${path} names an LDAP directory`);
  return openLdapDirectory({
    ...rest,
    ...(logger && { logger }),
    ...(caFile !== undefined && { tls: { ca: await readFile(caFile, 'utf8') } }),
    bind: { ...bind, password },
    users: { ...users, issuer },
  });
}
