import { readFile, stat } from 'node:fs/promises';

import { z } from 'zod';

import { readGroups } from '../directory/file-directory.ts';
import { parseDocument } from '../document-file.ts';

/** A membership, and how somebody comes to it: the groups in between, none when it is direct. */
export interface Membership {
  readonly group: string;
  readonly via: readonly string[];
}

/** The groups that a command asks about. */
export interface GroupSource {
  /** Every user it knows, as `issuer#subject`. */
  readonly users: readonly string[];
  /** `undefined` when the user is not known. */
  readonly membershipsOf: (user: string) => readonly Membership[] | undefined;
  /** For people. */
  readonly name: string;
  /** How old the answers are, in milliseconds since the Unix epoch. */
  readonly asOf: number;
}

const anyDocument = z.looseObject({ ldap: z.unknown().optional() });

/**
 * The groups of a directory file, in which every membership is direct.
 * @throws {TypeError} when the file names an LDAP directory instead
 */
export async function openGroupFile(path: string): Promise<GroupSource> {
  const { mtimeMs } = await stat(path);
  if ('ldap' in parseDocument(await readFile(path, 'utf8'), anyDocument, path)) {
    throw new TypeError(
      `${path} names an LDAP directory, which is not listed: explain one user, with --password-file`,
    );
  }
  const groups = await readGroups(path);
  return {
    users: [...groups.keys()].toSorted(),
    membershipsOf: (user) => groups.get(user)?.map((group) => ({ group, via: [] })),
    name: path,
    asOf: mtimeMs,
  };
}
