import { writeFile } from 'node:fs/promises';

import { findService, startSlapd } from '@mcp-parts/test-services';

import { users } from './directory.ts';

const SUFFIX = 'dc=sandbox,dc=test';
const people = `ou=people,${SUFFIX}`;
const groups = `ou=groups,${SUFFIX}`;

/** An OpenLDAP server with the users of the sandbox. */
export interface DirectoryServer {
  readonly url: string;
  /** Of the account that the servers search with. */
  readonly password: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts OpenLDAP and writes to `file` how servers ask it; `undefined`, after a line on stderr, where it is not
 * installed.
 */
export async function startDirectoryServer(file: string): Promise<DirectoryServer | undefined> {
  if (findService({ program: 'slapd', debianPackage: 'slapd ldap-utils' }) === undefined) {
    return undefined;
  }
  const names = [...new Set(users.flatMap((user): readonly string[] => user.groups))];
  const slapd = await startSlapd({ suffix: SUFFIX, ldif: entries(names) });
  const document = {
    version: 1,
    ldap: {
      urls: [slapd.url],
      allowCleartextOnLoopback: true,
      bind: { dn: slapd.administrator.dn },
      users: { baseDn: people, attribute: 'uid' },
      groups: {
        baseDn: groups,
        names: Object.fromEntries(names.map((name) => [`cn=${name},${groups}`, name])),
      },
    },
  };
  // JSON is YAML too.
  await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
  return { url: slapd.url, password: slapd.administrator.password, close: () => slapd.close() };
}

function entries(names: readonly string[]): string {
  return [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: sandbox\no: sandbox\n`,
    `dn: ${people}\nobjectClass: organizationalUnit\nou: people\n`,
    `dn: ${groups}\nobjectClass: organizationalUnit\nou: groups\n`,
    ...users.map(
      ({ subject, email }) =>
        `dn: uid=${subject},${people}\nobjectClass: inetOrgPerson\nuid: ${subject}\ncn: ${subject}\nsn: ${subject}\nmail: ${email}\n`,
    ),
    ...names.map((name) => {
      const members = users.filter((user) => (user.groups as readonly string[]).includes(name));
      const lines = members.map(({ subject }) => `member: uid=${subject},${people}\n`);
      return `dn: cn=${name},${groups}\nobjectClass: groupOfNames\n${lines.join('')}`;
    }),
  ].join('\n');
}
