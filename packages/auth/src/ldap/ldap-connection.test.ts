import { describe, expect, it, vi } from 'vitest';

import type { DirectoryLogger } from '../directory/directory.ts';
import { createLdapConnection } from './ldap-connection.ts';
import { LdapLimitError, LdapResultError, LdapUnreachableError } from './ldap-errors.ts';
import { ANY_ENTRY } from './ldap-filter.ts';
import type { LdapEntry, LdapServer, LdapSession } from './ldap-session.ts';

const { signal } = new AbortController();
const question = { base: '', scope: 'base', filter: ANY_ENTRY, attributes: [], maxEntries: 1 } as const;
const lost = () => new LdapUnreachableError('cut', { isConnectionLost: true });
const late = () => new LdapUnreachableError('late');

type Answer = () => Promise<readonly LdapEntry[]>;
const from = (host: string): readonly LdapEntry[] => [{ dn: host, values: new Map() }];

/** Servers by name; each says what a sign-in and a search there do. */
function connect(
  hosts: Record<string, { opens?: () => Promise<void>; answers?: Answer }>,
  options: { maxInFlight?: number } = {},
) {
  const clock = { now: 0 };
  const opened: string[] = [];
  const logger = { info: vi.fn<DirectoryLogger['info']>(), error: vi.fn<DirectoryLogger['error']>() };
  const sessions: { close: LdapSession['close'] }[] = [];
  const connection = createLdapConnection({
    servers: Object.keys(hosts).map((host): LdapServer => ({ host, port: 636, security: 'tls', tls: {} })),
    openSession: async ({ host }) => {
      opened.push(host);
      await hosts[host]?.opens?.();
      let isOpen = true;
      const session = {
        get isOpen() {
          return isOpen;
        },
        search: async () => hosts[host]?.answers?.() ?? from(host),
        close: vi.fn<() => void>(() => (isOpen = false)),
      };
      sessions.push(session);
      return session;
    },
    timeoutMs: 60_000,
    maxInFlight: options.maxInFlight ?? 50,
    now: () => clock.now,
    random: () => 1,
    logger,
  });
  const ask = async (by = signal) => (await connection.search(question, by))[0]?.dn;
  return { ask, clock, opened, sessions, connection, logger };
}

describe('createLdapConnection', () => {
  it('opens one session for all who ask, and keeps it', async () => {
    const { ask, opened } = connect({ a: {} });
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    await ask();
    expect(opened).toEqual(['a']);
  });

  it('asks the next server when one does not let it in, and comes back after 30 seconds', async () => {
    let isDown = true;
    const { ask, clock, opened } = connect({
      a: { opens: () => (isDown ? Promise.reject(late()) : Promise.resolve()) },
      b: {},
    });
    expect(await ask()).toBe('b');
    isDown = false;
    clock.now = 29_999;
    expect(await ask()).toBe('b');
    clock.now = 30_000;
    expect(await ask()).toBe('a');
    expect(opened).toEqual(['a', 'b', 'a']);
  });

  it('asks the next server when one is late, busy or unavailable', async () => {
    for (const error of [late(), ...[51, 52].map((code) => new LdapResultError(code, { cause: null }))]) {
      const { ask, sessions } = connect({ a: { answers: () => Promise.reject(error) }, b: {} });
      expect(await ask()).toBe('b');
      expect(sessions[0]?.close).toHaveBeenCalledOnce();
    }
  });

  it('opens another session at once when one breaks', async () => {
    const answers = vi.fn<Answer>().mockRejectedValueOnce(lost()).mockResolvedValue(from('a'));
    const { ask, opened } = connect({ a: { answers } });
    expect(await ask()).toBe('a');
    expect(opened).toEqual(['a', 'a']);
  });

  it('does not go round in circles with a server that always hangs up', async () => {
    const { ask, opened } = connect({ a: { answers: () => Promise.reject(lost()) } });
    await expect(ask()).rejects.toThrow('cut');
    expect(opened).toEqual(['a', 'a']);
  });

  it('takes an answer for an answer, even if it is an error', async () => {
    for (const error of [new LdapResultError(32, { cause: null }), new LdapLimitError('too many')]) {
      const { ask, opened, sessions } = connect({ a: { answers: () => Promise.reject(error) }, b: {} });
      await expect(ask()).rejects.toBe(error);
      expect(opened).toEqual(['a']);
      expect(sessions[0]?.close).not.toHaveBeenCalled();
    }
  });

  it('leaves servers alone for 1, 2, 4 … 30 seconds when none answers', async () => {
    const { ask, clock, opened } = connect({ a: { opens: () => Promise.reject(late()) } });
    let expected = 0;
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      await expect(ask()).rejects.toThrow('late');
      expected += 1;
      clock.now += pauseMs - 1;
      await expect(ask()).rejects.toThrow('a moment ago');
      expect(opened).toHaveLength(expected);
      clock.now += 1;
    }
  });

  it('counts one failure for all searches that a session took along', async () => {
    const { ask, clock } = connect({ a: { answers: () => Promise.reject(late()) } });
    await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    clock.now = 1_000;
    await expect(ask()).rejects.toThrow('late');
  });

  it('says once that a server failed, and that it answers again', async () => {
    const answers = vi.fn<Answer>().mockRejectedValue(late());
    const { ask, clock, logger } = connect({ a: { answers } });
    await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    expect(logger.error.mock.calls).toEqual([
      [{ host: 'a', port: 636, failures: 1, retryInMs: 1_000, err: late() }, 'directory server failed'],
    ]);
    answers.mockResolvedValue(from('a'));
    clock.now = 1_000;
    await Promise.all([ask(), ask()]);
    expect(logger.info.mock.calls).toEqual([[{ host: 'a', port: 636 }, 'directory server answers again']]);
  });

  it('runs no more searches at once than it was told to', async () => {
    let running = 0;
    let most = 0;
    const answers: Answer = async () => {
      most = Math.max(most, (running += 1));
      await Promise.resolve();
      running -= 1;
      return from('a');
    };
    const { ask } = connect({ a: { answers } }, { maxInFlight: 3 });
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(most).toBe(3);
  });

  it('lets one who waits leave, and gives the turn to the next', async () => {
    const answer = Promise.withResolvers<readonly LdapEntry[]>();
    const { ask } = connect({ a: { answers: () => answer.promise } }, { maxInFlight: 1 });
    const leaving = new AbortController();
    const first = ask();
    const second = ask(leaving.signal);
    const third = ask();
    leaving.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    answer.resolve(from('a'));
    expect(await Promise.all([first, third])).toEqual(['a', 'a']);
  });

  it('cuts its sessions when it is closed, and opens no more', async () => {
    const { ask, connection, sessions, opened } = connect({ a: {} });
    await ask();
    connection.close();
    expect(sessions[0]?.close).toHaveBeenCalled();
    await expect(ask()).rejects.toThrow('closed');
    expect(opened).toHaveLength(1);
  });
});
