import { readFile } from 'node:fs/promises';

import { readDirectory } from '../open-directory.ts';
import type { Principal } from '../tokens/principal.ts';
import type { Membership } from './group-file.ts';

/** How long the directory may take, in milliseconds. */
const TIMEOUT_MS = 30_000;

/**
 * How a user comes to each group, asked of the LDAP directory that a file names now.
 * @throws {TypeError} when something is missing
 * @throws {AuthError} `access_denied` when the directory refuses the account; what it throws when it cannot be asked
 */
export async function askLdapMemberships(options: {
  readonly path: string;
  /** `issuer#subject`. */
  readonly user: string;
  /** A file with the password of the account that searches. */
  readonly passwordFile: string;
}): Promise<readonly Membership[] | undefined> {
  const { path, user, passwordFile } = options;
  const [issuer = '', ...rest] = user.split('#');
  if (rest.length === 0) {
    throw new TypeError('--user must be issuer#subject: an LDAP directory is not listed');
  }
  // What an editor puts around it is no part of it.
  const password = (await readFile(passwordFile, 'utf8')).replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
  const subject = rest.join('#');
  const principal: Principal = { id: user, issuer, subject, kind: 'user', scopes: [], expiresAt: 0 };
  const directory = await readDirectory(await readFile(path, 'utf8'), { path, issuer, password });
  try {
    if (directory.membershipsOf === undefined) {
      throw new TypeError(`${path} does not name an LDAP directory`);
    }
    return await directory.membershipsOf(principal, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } finally {
    await directory.close?.();
  }
}
