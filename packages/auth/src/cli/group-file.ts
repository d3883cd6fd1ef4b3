import { stat } from 'node:fs/promises';

import { readGroups } from '../file-directory.ts';

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
  membershipsOf(user: string): readonly Membership[] | undefined;
  /** For people. */
  readonly name: string;
  /** How old the answers are, in milliseconds since 1970. */
  readonly asOf: number;
}

/** The groups of a directory file, in which every membership is direct. */
export async function openGroupFile(path: string): Promise<GroupSource> {
  const { mtimeMs } = await stat(path);
  const groups = await readGroups(path);
  return {
    users: [...groups.keys()].toSorted(),
    membershipsOf: (user) => groups.get(user)?.map((group) => ({ group, via: [] })),
    name: path,
    asOf: mtimeMs,
  };
}
