import type { LdapDirectoryOptions, Principal } from '../src/index.ts';

export const ISSUER = 'https://idp.example.test';
export const SUFFIX = 'dc=example,dc=test';
export const SERVICE_PASSWORD = 'Never-In-Cleartext-7';
const people = `ou=people,${SUFFIX}`;
const groups = `ou=groups,${SUFFIX}`;

export function principal(subject: string): Principal {
  return { id: `${ISSUER}#${subject}`, issuer: ISSUER, subject, kind: 'user', scopes: [], expiresAt: 0 };
}

const person = (uid: string, more = ''): string =>
  `dn: uid=${uid},${people}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\n${more}\n`;
const group = (name: string, ...members: readonly string[]): string =>
  `dn: ${name}\nobjectClass: groupOfNames\n${members.map((member) => `member: ${member}\n`).join('')}\n`;
const user = (uid: string): string => `uid=${uid},${people}`;
const groupName = (cn: string): string => `cn=${cn},${groups}`;
const nobody = `cn=nobody,${SUFFIX}`;

/** Users and groups: nested, in a cycle, with odd names, many groups of one user, many users of one group. */
export function directoryTree({ crowd = 0 } = {}): string {
  const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `user-${n}`);
  return [
    `dn: ${SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example\n`,
    `dn: ${people}\nobjectClass: organizationalUnit\nou: people\n`,
    `dn: ${groups}\nobjectClass: organizationalUnit\nou: groups\n`,
    `dn: ou=self-service,${SUFFIX}\nobjectClass: organizationalUnit\nou: self-service\n`,
    `dn: cn=svc,${SUFFIX}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: svc\nuserPassword: ${SERVICE_PASSWORD}\n`,
    ...['alice', 'bob', 'carol', 'odd', 'loner', 'pretender'].map((uid) => person(uid)),
    person('disabled', 'objectClass: adAccount\nuserAccountControl: 546\n'),
    person('locked'),
    // 2020-01-01, as a FILETIME and as a day since 1970.
    person('left', 'objectClass: adAccount\nuserAccountControl: 512\naccountExpires: 132223104000000000\n'),
    person('gone', 'objectClass: dayAccount\nshadowExpire: 18262\n'),
    person(
      'stays',
      'objectClass: adAccount\nuserAccountControl: 512\naccountExpires: 9223372036854775807\nobjectClass: dayAccount\nshadowExpire: -1\n',
    ),
    // Two entries for one name: nobody can say which is meant.
    person('twin'),
    `dn: cn=twin,${people}\nobjectClass: inetOrgPerson\nuid: twin\ncn: twin\nsn: twin\n`,
    ...numbered(crowd).map((uid) => person(uid)),
    group(
      groupName('platform'),
      user('alice'),
      user('disabled'),
      user('locked'),
      user('twin'),
      ...['left', 'gone', 'stays'].map(user),
    ),
    // alice is in production-deployers through platform and leads.
    group(groupName('leads'), groupName('platform')),
    group(groupName('production-deployers'), groupName('leads')),
    group(groupName('cycle-a'), user('bob'), groupName('cycle-b')),
    group(groupName('cycle-b'), groupName('cycle-a')),
    group(groupName('Odd\\, Group (x)'), user('odd')),
    group(groupName('Über\\+uns'), groupName('Odd\\2C Group (x)')),
    // The same name in another place is another group.
    group(`cn=production-deployers,ou=self-service,${SUFFIX}`, user('pretender')),
    ...Array.from({ length: 60 }, (_, n) => group(groupName(`many-${n}`), user('carol'))),
    group(groupName('everybody'), nobody, ...numbered(crowd).map(user)),
  ].join('\n');
}

/** A little of what Active Directory has and OpenLDAP does not, and of RFC 2307. */
export const ACTIVE_DIRECTORY_SCHEMA = [
  "attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
  "attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
  "objectclass ( 1.3.6.1.4.1.4203.666.11.99 NAME 'adAccount' SUP top AUXILIARY MAY ( userAccountControl $ accountExpires ) )",
  "attributetype ( 1.3.6.1.1.1.1.10 NAME 'shadowExpire' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )",
  "objectclass ( 1.3.6.1.4.1.4203.666.11.98 NAME 'dayAccount' SUP top AUXILIARY MAY shadowExpire )",
].join('\n');

/** Nobody but the service account reads, and it gets five entries at once unless it asks for pages. */
export const RESTRICTED = [
  'access to attrs=userPassword by anonymous auth by * none',
  `access to * by dn.exact="cn=svc,${SUFFIX}" read by * none`,
  `limits dn.exact="cn=svc,${SUFFIX}" size.soft=5 size.hard=5 size.prtotal=unlimited`,
].join('\n');

const GROUP_NAMES: Readonly<Record<string, string>> = {
  [`CN=platform, OU=groups, ${SUFFIX}`]: 'platform',
  [groupName('leads')]: 'leads',
  [groupName('production-deployers')]: 'production-deployers',
  [groupName('cycle-a')]: 'cycle-a',
  [groupName('cycle-b')]: 'cycle-b',
  [groupName('Odd\\2c Group (x)')]: 'odd',
  [groupName('über\\2buns')]: 'about-us',
  [groupName('everybody')]: 'everybody',
  ...Object.fromEntries(Array.from({ length: 60 }, (_, n) => [groupName(`many-${n}`), `many-${n}`])),
};

export function settings(urls: readonly string[]): LdapDirectoryOptions {
  return {
    urls,
    allowCleartextOnLoopback: true,
    bind: { dn: `cn=svc,${SUFFIX}`, password: SERVICE_PASSWORD },
    users: { issuer: ISSUER, baseDn: people, attribute: 'uid' },
    groups: { baseDn: groups, names: GROUP_NAMES },
    // For a busy machine.
    timeoutMs: 10_000,
  };
}
