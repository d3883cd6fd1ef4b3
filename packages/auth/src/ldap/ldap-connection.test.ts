import { describe, expect, it, vi } from 'vitest';

import type { DirectoryLogger } from '../directory/directory.ts';
import { createLdapConnection } from './ldap-connection.ts';
import { LdapLimitError, LdapResultError, LdapUnreachableError } from './session/ldap-errors.ts';
import type { LdapEntry, LdapSearch } from './session/ldap-exchange.ts';
import { ANY_ENTRY } from './session/ldap-filter.ts';
import type { LdapSession } from './session/ldap-session.ts';
import type { LdapServer } from './session/ldap-transport.ts';

const { signal } = new AbortController();
const question = { base: 'dc=test', scope: 'sub', filter: ANY_ENTRY, attributes: [], maxEntries: 1 } as const;
const lost = () => new LdapUnreachableError('cut', { isConnectionLost: true });
const late = () => new LdapUnreachableError('late');

type Answer = (search: LdapSearch) => Promise<readonly LdapEntry[]>;
/** The question of a server that was late: is it there at all? */
const isProbe = ({ base }: LdapSearch) => base === '';
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
      let received = 0;
      const session = {
        get isOpen() {
          return isOpen;
        },
        get received() {
          return received;
        },
        search: async (search: LdapSearch) => {
          const entries = await (hosts[host]?.answers?.(search) ?? from(host));
          received += 1;
          return entries;
        },
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

/** What was started in the background and needs no more than turns of this loop has happened. */
const settled = () => new Promise((resolve) => void setImmediate(resolve));

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

  it('asks the next server when one is late, and keeps one that is there', async () => {
    const answers: Answer = (search) =>
      isProbe(search) ? Promise.resolve(from('a')) : Promise.reject(late());
    const { ask, sessions, logger } = connect({ a: { answers }, b: {} });
    expect(await ask()).toBe('b');
    await settled();
    expect(await ask()).toBe('b');
    await settled();
    expect(sessions[0]?.close).not.toHaveBeenCalled();
    expect(logger.error).not.toHaveBeenCalled();
  });

  it('takes an error for a sign of life', async () => {
    const notShown = new LdapResultError(50, { cause: null });
    const answers: Answer = (search) => Promise.reject(isProbe(search) ? notShown : late());
    const { ask, sessions } = connect({ a: { answers } });
    await expect(ask()).rejects.toThrow('late');
    await settled();
    expect(sessions[0]?.close).not.toHaveBeenCalled();
  });

  it('asks nobody whether a server is there that answered others meanwhile', async () => {
    const slow = Promise.withResolvers<readonly LdapEntry[]>();
    const answers = vi.fn<Answer>().mockReturnValueOnce(slow.promise).mockResolvedValue(from('a'));
    const { ask } = connect({ a: { answers } });
    const asked = ask();
    await settled();
    await ask();
    slow.reject(late());
    await expect(asked).rejects.toThrow('late');
    await settled();
    expect(answers).toHaveBeenCalledTimes(2);
  });

  it('prefers another server while it is not sure that one is there, and gives up one that is not', async () => {
    const silence = Promise.withResolvers<readonly LdapEntry[]>();
    const answers: Answer = (search) => (isProbe(search) ? silence.promise : Promise.reject(late()));
    const { ask, sessions, opened, logger } = connect({ a: { answers }, b: {} });
    await ask();
    expect(await ask()).toBe('b');
    expect(sessions[0]?.close).not.toHaveBeenCalled();
    silence.reject(late());
    await settled();
    expect(sessions[0]?.close).toHaveBeenCalledOnce();
    expect(logger.error).toHaveBeenCalledOnce();
    expect(await ask()).toBe('b');
    expect(opened).toEqual(['a', 'b']);
  });

  it.each([51, 52])(
    'asks the next server when one is busy or unavailable (%i), and lets it rest after three times in a row',
    async (code) => {
      const answers = vi.fn<Answer>().mockRejectedValue(new LdapResultError(code, { cause: null }));
      const { ask, sessions, clock, logger } = connect({ a: { answers }, b: {} });
      for (let refused = 1; refused <= 3; refused += 1) {
        expect(logger.error).not.toHaveBeenCalled();
        expect(await ask()).toBe('b');
        expect(answers).toHaveBeenCalledTimes(refused);
        clock.now += 30_000;
      }
      expect(logger.error).toHaveBeenCalledOnce();
      expect(sessions[0]?.close).not.toHaveBeenCalled();
    },
  );

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

  it('leaves no server alone for an hour when the clock is set back by one', async () => {
    let isDown = true;
    const { ask, clock, opened } = connect({
      a: { opens: () => (isDown ? Promise.reject(late()) : Promise.resolve()) },
    });
    clock.now = 3_600_000;
    await expect(ask()).rejects.toBeInstanceOf(LdapUnreachableError);
    isDown = false;
    clock.now = 0;
    expect(await ask()).toBe('a');
    expect(opened).toEqual(['a', 'a']);
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
    await settled();
    clock.now = 1_000;
    await expect(ask()).rejects.toThrow('late');
  });

  it('says once that a server failed, and that it answers again', async () => {
    const answers = vi.fn<Answer>().mockRejectedValue(late());
    const { ask, clock, logger } = connect({ a: { answers } });
    await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
    await settled();
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
