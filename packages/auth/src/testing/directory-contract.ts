import { deepEqual, equal, ok, rejects } from 'node:assert/strict';

import type { Directory } from '../directory/directory.ts';
import type { Principal } from '../tokens/principal.ts';

/** What the contract needs to know of a directory under test. */
export interface DirectoryFixture {
  readonly directory: Directory;
  /** Somebody with two groups or more, and these. */
  readonly member: { readonly principal: Principal; readonly groups: readonly string[] };
  /** Somebody whom the directory knows, or may know, and who is in no group. */
  readonly loner: Principal;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface DirectoryCase {
  readonly name: string;
  readonly run: (fixture: DirectoryFixture) => Promise<void>;
}

const signal = new AbortController().signal;

/** The same subject under another identity provider: somebody else, whatever the name. */
function elsewhere(principal: Principal): Principal {
  const issuer = 'https://elsewhere.example.test';
  return { ...principal, id: `${issuer}#${principal.subject}`, issuer };
}

function named(principal: Principal, subject: string): Principal {
  return { ...principal, id: `${principal.issuer}#${subject}`, subject };
}

/** What every {@link Directory} promises. Run each case as a test, with a new fixture for each. */
export const directoryContract: readonly DirectoryCase[] = [
  {
    name: 'knows the groups of a member, once each',
    async run({ directory, member }) {
      const groups = await directory.groupsOf(member.principal, { signal });
      ok(member.groups.length > 1, 'the fixture needs two groups');
      equal(new Set(groups).size, groups.length);
      deepEqual(groups.toSorted(), member.groups.toSorted());
    },
  },
  {
    name: 'gives no groups to one who has none',
    async run({ directory, loner }) {
      deepEqual(await directory.groupsOf(loner, { signal }), []);
    },
  },
  {
    name: 'gives no groups to the same subject of another issuer',
    async run({ directory, member }) {
      deepEqual(await directory.groupsOf(elsewhere(member.principal), { signal }), []);
    },
  },
  {
    name: 'gives no groups to a subject that is a pattern, syntax or nothing',
    async run({ directory, member: { principal } }) {
      const { subject } = principal;
      const hostile = ['*', `${subject.slice(0, 1)}*`, `x)(uid=${subject}`, `${subject})(cn=*`];
      for (const wrong of [
        ...hostile,
        `${subject}\0`,
        `\\2a`,
        `${subject},ou=x`,
        'toString',
        '__proto__',
        ' ',
      ]) {
        deepEqual(await directory.groupsOf(named(principal, wrong), { signal }), [], JSON.stringify(wrong));
      }
    },
  },
  {
    name: 'gives two who ask at once their own groups',
    async run({ directory, member, loner }) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          directory.groupsOf(index % 2 === 0 ? member.principal : loner, { signal }),
        ),
      );
      for (const [index, groups] of answers.entries()) {
        deepEqual(groups.toSorted(), index % 2 === 0 ? member.groups.toSorted() : []);
      }
    },
  },
];

/** A directory that cannot be asked must say so: run this case with one that is out of reach and remembers nothing. */
export const unavailableDirectoryCase: DirectoryCase = {
  name: 'rejects when it cannot be asked, instead of answering "no groups"',
  async run({ directory, member, loner }) {
    await rejects(async () => directory.groupsOf(member.principal, { signal }));
    await rejects(async () => directory.groupsOf(loner, { signal }));
  },
};
