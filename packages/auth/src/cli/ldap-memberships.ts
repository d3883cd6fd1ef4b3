import { readFile } from 'node:fs/promises';

import { openDirectory } from '../open-directory.ts';
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
  const password = (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  const subject = rest.join('#');
  const principal: Principal = { id: user, issuer, subject, kind: 'user', scopes: [], expiresAt: 0 };
  const directory = await openDirectory({ path, issuer, password });
  try {
    if (!('membershipsOf' in directory)) {
      throw new TypeError(`${path} does not name an LDAP directory`);
    }
    return await directory.membershipsOf(principal, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } finally {
    await directory.close();
  }
}
