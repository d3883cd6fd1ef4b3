import { afterEach, describe, expect, it } from 'vitest';

import { openLdapDirectory } from '../src/index.ts';
import type { LdapDirectory, LdapDirectoryOptions } from '../src/index.ts';
import { principal, settings, SUFFIX } from './directory-tree.ts';
import { startFakeLdapServer } from './fake-ldap-server.ts';
import type { FakeAnswer, FakeLdapServer, FakeSearch } from './fake-ldap-server.ts';

const PEOPLE = `ou=people,${SUFFIX}`;
const GROUPS = `ou=groups,${SUFFIX}`;
const PLATFORM = `cn=platform,${GROUPS}`;
const { signal } = new AbortController();

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) {
    await resource[Symbol.asyncDispose]();
  }
});

interface Habits {
  readonly people?: (search: FakeSearch, answer: FakeAnswer) => void;
  readonly groups?: (search: FakeSearch, answer: FakeAnswer) => void;
}

/** Knows every user that is asked for; each is in the group `platform`, unless told otherwise. */
async function serve({ people, groups }: Habits, chunkBytes?: number): Promise<FakeLdapServer> {
  const findPerson: NonNullable<Habits['people']> = ({ text }, answer) => {
    answer.entry(`uid=${valueAfter('\x04\x03uid', text)},${PEOPLE}`);
    answer.done(0);
  };
  const findGroups: NonNullable<Habits['groups']> = ({ text }, answer) => {
    if (text.includes('uid=')) {
      answer.entry(PLATFORM);
    }
    answer.done(0);
  };
  const server = await startFakeLdapServer((search, answer) => {
    switch (search.base) {
      case PEOPLE:
        return (people ?? findPerson)(search, answer);
      case GROUPS:
        return (groups ?? findGroups)(search, answer);
      default:
        return answer.done(0);
    }
  }, chunkBytes);
  open.push(server);
  return server;
}

/** The string that follows in a request: a tag, a length of one byte, and the bytes. */
function valueAfter(what: string, text: string): string {
  const start = text.indexOf(what) + what.length + 2;
  return text.slice(start, start + text.charCodeAt(start - 1));
}

async function directoryAt(
  servers: readonly FakeLdapServer[],
  options: Partial<LdapDirectoryOptions> = {},
): Promise<LdapDirectory> {
  const directory = await openLdapDirectory({ ...settings(servers.map(({ url }) => url)), ...options });
  open.push(directory);
  return directory;
}

const ask = (directory: LdapDirectory, subject: string) => directory.groupsOf(principal(subject), { signal });

describe('pages', () => {
  /** The entries of each page, in order; the cookie of a page is its number. */
  const inPages =
    (...pages: readonly (readonly string[])[]): NonNullable<Habits['groups']> =>
    ({ text, cookie }, answer) => {
      const number = Number(cookie);
      if (text.includes('uid=')) {
        pages[number]?.forEach(answer.entry);
      }
      answer.done(0, number + 1 < pages.length ? String(number + 1) : '');
    };

  it.each([
    ['the first', [[], [PLATFORM]]],
    ['one in the middle', [[`cn=leads,${GROUPS}`], [], [], [PLATFORM]]],
    ['the last', [[PLATFORM], []]],
  ])('go on after an empty one: %s', async (_, pages) => {
    const directory = await directoryAt([await serve({ groups: inPages(...pages) })]);
    expect(await ask(directory, 'alice')).toContain('platform');
  });

  it('without end are given up: that is no answer', async () => {
    let asked = 0;
    const server = await serve({ groups: (_, answer) => answer.done(0, String((asked += 1))) });
    await expect(ask(await directoryAt([server]), 'alice')).rejects.toMatchObject({ name: 'LdapLimitError' });
    expect(asked).toBeLessThan(200);
  });

  it('are not asked for again where the server refuses them', async () => {
    const paged: string[] = [];
    const refuse =
      (dn: (search: FakeSearch) => string | undefined): NonNullable<Habits['people']> =>
      (search, answer) => {
        if (search.cookie !== undefined) {
          paged.push(search.base);
          return answer.done(12);
        }
        const found = dn(search);
        if (found !== undefined) {
          answer.entry(found);
        }
        return answer.done(0);
      };
    const server = await serve({
      people: refuse(() => `uid=alice,${PEOPLE}`),
      groups: refuse(({ text }) => (text.includes('uid=') ? PLATFORM : undefined)),
    });
    const directory = await directoryAt([server]);
    expect(await ask(directory, 'alice')).toEqual(['platform']);
    expect(await ask(directory, 'bob')).toEqual(['platform']);
    expect(paged).toEqual([PEOPLE, GROUPS]);
  });

  it('that are refused halfway are no answer', async () => {
    const server = await serve({
      groups({ cookie }, answer) {
        answer.entry(PLATFORM);
        answer.done(cookie === '' ? 0 : 12, cookie === '' ? 'next' : undefined);
      },
    });
    await expect(ask(await directoryAt([server]), 'alice')).rejects.toMatchObject({ resultCode: 12 });
  });

  it('and the limit on entries hold for a server that knows no pages', async () => {
    const server = await serve({
      groups(_, answer) {
        for (let count = 0; count <= 1_000; count += 1) {
          answer.entry(`cn=g${count},${GROUPS}`);
        }
        answer.done(0);
      },
    });
    await expect(ask(await directoryAt([server]), 'alice')).rejects.toMatchObject({ name: 'LdapLimitError' });
  });
});

describe('names of groups', () => {
  it.each([
    ['in the quotes of RFC 2253', `cn="ops, night",${GROUPS}`],
    ['with a type that RFC 4512 does not allow', `my_attribute=x,${GROUPS}`],
    ['that is none', 'ops'],
  ])('%s are those of no group that the policy knows, and take no others along', async (_, odd) => {
    const server = await serve({
      groups({ text }, answer) {
        if (text.includes('uid=')) {
          answer.entry(odd);
          answer.entry(PLATFORM);
        }
        answer.done(0);
      },
    });
    expect(await ask(await directoryAt([server]), 'alice')).toEqual(['platform']);
  });
});

describe('a slow search', () => {
  /** Answers about the user `slow` are kept back until the test lets them go. */
  async function serveSlowly() {
    const kept: (() => void)[] = [];
    const server = await serve({
      groups({ text }, answer) {
        const finish = (): void => {
          if (text.includes('uid=')) {
            answer.entry(PLATFORM);
          }
          answer.done(0);
        };
        if (text.includes('uid=slow')) {
          kept.push(finish);
        } else {
          finish();
        }
      },
    });
    return { server, kept };
  }
  const recorder = () => {
    const errors: object[] = [];
    return { errors, logger: { info: () => undefined, error: (fields: object) => void errors.push(fields) } };
  };

  it('is abandoned when it is late, and takes nobody along: not the connection, not the server', async () => {
    const { server } = await serveSlowly();
    const { errors, logger } = recorder();
    const directory = await directoryAt([server], { timeoutMs: 400, logger });
    for (let round = 1; round <= 4; round += 1) {
      const slow = ask(directory, 'slow');
      const others = Promise.all(Array.from({ length: 5 }, (_, index) => ask(directory, `user-${index}`)));
      await expect(slow).rejects.toMatchObject({ name: 'LdapUnreachableError' });
      for (const groups of await others) {
        expect(groups).toEqual(['platform']);
      }
      expect(await ask(directory, 'later')).toEqual(['platform']);
      await expect.poll(() => server.abandoned.length).toBe(round);
    }
    expect(errors).toEqual([]);
    expect(server.accepted).toBe(1);
  });

  it('and no other for a long time do not make a server fail that is there', async () => {
    const { server } = await serveSlowly();
    const { errors, logger } = recorder();
    const directory = await directoryAt([server], { timeoutMs: 200, logger });
    for (let round = 1; round <= 5; round += 1) {
      await expect(ask(directory, 'slow')).rejects.toMatchObject({ name: 'LdapUnreachableError' });
    }
    expect(await ask(directory, 'alice')).toEqual(['platform']);
    expect(errors).toEqual([]);
    expect(server.accepted).toBe(1);
  });

  it('is asked of the next server, which may be faster', async () => {
    const { server } = await serveSlowly();
    const directory = await directoryAt([server, await serve({})], { timeoutMs: 300 });
    expect(await ask(directory, 'slow')).toEqual(['platform']);
  });

  it('that nobody waits for any longer is abandoned too', async () => {
    const { server } = await serveSlowly();
    const directory = await directoryAt([server]);
    expect(await ask(directory, 'alice')).toEqual(['platform']);
    const leaving = new AbortController();
    const left = directory.groupsOf(principal('slow'), { signal: leaving.signal });
    left.catch(() => undefined);
    await expect.poll(() => server.searches.some(({ text }) => text.includes('uid=slow,'))).toBe(true);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect.poll(() => server.abandoned).toHaveLength(1);
  });

  it('that is answered after all is nobody’s answer', async () => {
    const { server, kept } = await serveSlowly();
    const directory = await directoryAt([server], { timeoutMs: 200 });
    await expect(ask(directory, 'slow')).rejects.toMatchObject({ name: 'LdapUnreachableError' });
    for (const finish of kept) {
      finish();
    }
    expect(await ask(directory, 'alice')).toEqual(['platform']);
    expect(server.accepted).toBe(1);
  });
});

describe('a server that says what nobody can read', () => {
  it.each([1, 7])('is not one that sends its messages in pieces of %i bytes', async (chunk) => {
    const directory = await directoryAt([await serve({}, chunk)]);
    expect(await ask(directory, 'alice')).toEqual(['platform']);
  });

  it('is left, and another one is asked', async () => {
    const noise = await serve({ people: (_, answer) => answer.noise() });
    // Not for want of time.
    const directory = await directoryAt([noise, await serve({})], { timeoutMs: 600_000 });
    expect(await ask(directory, 'alice')).toEqual(['platform']);
  });
});
