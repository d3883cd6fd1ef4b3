import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findService, selfSignedCertificate, startSlapd, startTcpProxy } from '@mcp-parts/test-services';
import type { Slapd, TcpProxy } from '@mcp-parts/test-services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../src/cli/run-cli.ts';
import { createAuthenticator, openLdapDirectory, createPolicy, createFreshPolicy } from '../src/index.ts';
import type { LdapDirectory, LdapDirectoryOptions, Principal } from '../src/index.ts';
import { directoryContract, unavailableDirectoryCase } from '../src/testing.ts';
import {
  ACTIVE_DIRECTORY_SCHEMA,
  directoryTree,
  ISSUER,
  principal,
  RESTRICTED,
  SERVICE_PASSWORD,
  settings,
  SUFFIX,
} from './directory-tree.ts';

const CROWD = 2_000;
const { signal } = new AbortController();
const slapdProgram = findService({ program: 'slapd', debianPackage: 'slapd ldap-utils' });
const certificate = selfSignedCertificate();

describe.skipIf(slapdProgram === undefined)('an OpenLDAP directory', () => {
  let slapd: Slapd;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    slapd = await startSlapd({
      suffix: SUFFIX,
      ldif: directoryTree({ crowd: CROWD }),
      globalConfiguration: ACTIVE_DIRECTORY_SCHEMA,
      databaseConfiguration: RESTRICTED,
      certificate,
    });
    await slapd.apply(
      `dn: uid=locked,ou=people,${SUFFIX}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`,
    );
  }, 120_000);
  afterEach(async () => {
    for (const resource of open.splice(0)) {
      await resource[Symbol.asyncDispose]();
    }
  });
  afterAll(() => slapd?.close());

  async function directoryAt(
    ports: readonly number[],
    options: Partial<LdapDirectoryOptions> = {},
  ): Promise<LdapDirectory> {
    const urls = ports.map((port) => `ldap://127.0.0.1:${port}`);
    const directory = await openLdapDirectory({ ...settings(urls), ...options });
    open.push(directory);
    return directory;
  }
  async function proxy(): Promise<TcpProxy> {
    const started = await startTcpProxy(slapd.port);
    open.push(started);
    return started;
  }
  const ask = (directory: LdapDirectory, subject: string) =>
    directory.groupsOf(principal(subject), { signal });

  describe('as a Directory', () => {
    const alice = { principal: principal('alice'), groups: ['platform', 'leads', 'production-deployers'] };

    it.each(directoryContract)('$name', async ({ run }) => {
      await run({ directory: await directoryAt([slapd.port]), member: alice, loner: principal('loner') });
      expect.assertions(0);
    });

    it.each([unavailableDirectoryCase])('$name', async ({ run }) => {
      const refusing = await proxy();
      refusing.isRefusing = true;
      const directory = await directoryAt([refusing.port]);
      await run({ directory, member: alice, loner: principal('loner') });
      expect.assertions(0);
    });
  });

  describe('groups', () => {
    it('are found through other groups, and a cycle ends', async () => {
      const directory = await directoryAt([slapd.port]);
      expect(await ask(directory, 'alice')).toEqual(['leads', 'platform', 'production-deployers']);
      expect(await ask(directory, 'bob')).toEqual(['cycle-a', 'cycle-b']);
    });

    it('are known by their whole name, however it is escaped', async () => {
      const directory = await directoryAt([slapd.port]);
      expect(await ask(directory, 'odd')).toEqual(['about-us', 'odd']);
    });

    it('are those of the user that `users.value` makes of a principal, or of nobody', async () => {
      const { users } = settings([slapd.url]);
      const value = ({ displayName }: Principal): string | undefined => displayName;
      const directory = await directoryAt([slapd.port], { users: { ...users, value } });
      const opaque = principal('3f2c9d');
      expect(await directory.groupsOf({ ...opaque, displayName: 'bob' }, { signal })).toEqual([
        'cycle-a',
        'cycle-b',
      ]);
      expect(await directory.groupsOf(opaque, { signal })).toEqual([]);
    });

    it('can be explained: through which groups somebody is in one', async () => {
      const directory = await directoryAt([slapd.port]);
      const explain = (subject: string) => directory.membershipsOf(principal(subject), { signal });
      expect(await explain('alice')).toEqual([
        { group: 'leads', via: ['platform'] },
        { group: 'platform', via: [] },
        { group: 'production-deployers', via: ['platform', 'leads'] },
      ]);
      expect(await explain('bob')).toEqual([
        { group: 'cycle-a', via: [] },
        { group: 'cycle-b', via: ['cycle-a'] },
      ]);
      expect(await explain('loner')).toEqual([]);
      expect(await explain('nobody-here')).toBeUndefined();
    });

    it('are shown by mcp-auth explain, with the way to each', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mcp-auth-'));
      open.push({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) });
      const file = async (name: string, content: unknown): Promise<string> => {
        await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
        return join(folder, name);
      };
      const { urls, allowCleartextOnLoopback, bind, users, groups } = settings([slapd.url]);
      const { issuer: _, ...userSettings } = users;
      const ldap = { urls, allowCleartextOnLoopback, bind: { dn: bind.dn }, users: userSettings, groups };
      const directory = await file('directory.yaml', { version: 1, ldap });
      const policy = await file('policy.yaml', {
        version: 1,
        permissions: ['deploy:production'],
        groups: ['production-deployers'],
        grants: [{ group: 'production-deployers', allow: ['deploy:*'] }],
      });
      let stdout = '';
      let stderr = '';
      const output = {
        write: (text: string) => (stdout += text),
        writeError: (text: string) => (stderr += text),
        version: '1.2.3',
        now: Date.now,
      };
      const asked = ['--policy', policy, '--directory', directory, '--permission', 'deploy:production'];
      const withPassword = [...asked, '--password-file', await file('password', `${SERVICE_PASSWORD}\n`)];
      const explain = (user: string, argv: readonly string[]) =>
        runCli(['explain', '--user', user, ...argv], output);
      expect([await explain(`${ISSUER}#alice`, withPassword), stderr]).toEqual([0, '']);
      expect(stdout).toContain('production-deployers (via platform > leads)');
      expect(await explain(`${ISSUER}#loner`, withPassword)).toBe(1);
      expect(await explain(`${ISSUER}#alice`, asked)).toBe(2);
      expect(stderr).toContain('--password-file');
      expect(stdout + stderr).not.toContain(SERVICE_PASSWORD);
    });

    it('of the same name in another place do not count', async () => {
      const everywhere = { groups: { ...settings([]).groups, baseDn: SUFFIX } };
      expect(await ask(await directoryAt([slapd.port], everywhere), 'pretender')).toEqual([]);
    });

    it('come in pages when the server gives only five at once', async () => {
      expect(await ask(await directoryAt([slapd.port]), 'carol')).toHaveLength(60);
    });

    it('with 2,000 members cost no more than others: members are never read', async () => {
      const directory = await directoryAt([slapd.port]);
      const name = `user-${CROWD - 1}`;
      expect(await ask(directory, name)).toEqual(['everybody']);
      // The user, and the user's groups. The server's log is late, and may still speak of others.
      const about = () => slapd.searches.filter((filter) => filter.includes(name));
      await expect.poll(() => about().length).toBe(2);
    });

    it('come from the entry itself with memberOf: the direct ones', async () => {
      const byEntry = { groups: { ...settings([]).groups, strategy: 'memberOf' as const } };
      expect(await ask(await directoryAt([slapd.port], byEntry), 'alice')).toEqual(['platform']);
    });

    it.each(['tokenGroups', 'inChain'] as const)(
      'are not looked for with %s: OpenLDAP finds none',
      async (strategy) => {
        const directory = await directoryAt([slapd.port], { groups: { ...settings([]).groups, strategy } });
        await expect(ask(directory, 'alice')).rejects.toThrow('needs Active Directory');
      },
    );
  });

  describe('accounts', () => {
    it.each(['disabled', 'locked', 'left', 'gone'])('that are %s are refused', async (uid) => {
      const directory = await directoryAt([slapd.port]);
      await expect(ask(directory, uid)).rejects.toMatchObject({ code: 'access_denied' });
    });

    it('that never expire are let in', async () => {
      expect(await ask(await directoryAt([slapd.port]), 'stays')).toContain('platform');
    });

    it('of the same name are refused: nobody can say which one is meant', async () => {
      const directory = await directoryAt([slapd.port]);
      await expect(ask(directory, 'twin')).rejects.toMatchObject({ code: 'access_denied' });
    });

    it('are those of a name in any case', async () => {
      expect(await ask(await directoryAt([slapd.port]), 'ALICE')).toContain('platform');
    });

    it.each([
      ['in full-width letters', 'ａｌｉｃｅ'],
      ['with a space before', ' alice'],
      ['with spaces behind', 'alice  '],
    ])('are not those of a name %s, which the directory takes for the same', async (_, subject) => {
      const directory = await directoryAt([slapd.port]);
      expect(await ask(directory, subject)).toEqual([]);
      expect(await directory.membershipsOf(principal(subject), { signal })).toBeUndefined();
    });

    it('are found by another part of the principal when told so', async () => {
      const users = { ...settings([]).users, value: () => 'alice' };
      expect(await ask(await directoryAt([slapd.port], { users }), '0a1b')).toContain('platform');
    });
  });

  describe('an error of the server is not "no groups"', () => {
    it.each<[string, Partial<LdapDirectoryOptions>]>([
      ['a place that does not exist', { users: { ...settings([]).users, baseDn: `ou=nowhere,${SUFFIX}` } }],
      [
        'groups that it does not show',
        { groups: { ...settings([]).groups, baseDn: `ou=nowhere,${SUFFIX}` } },
      ],
      ['a wrong password', { bind: { dn: `cn=svc,${SUFFIX}`, password: 'wrong' } }],
    ])('%s', async (_, options) => {
      const error: unknown = await ask(await directoryAt([slapd.port], options), 'alice').catch(
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toMatchObject({ code: 'access_denied' });
      expect(String(error)).not.toContain(SUFFIX);
    });

    it('an empty password: nobody is signed in with one, whatever the server says', async () => {
      const listening = await proxy();
      const directory = await directoryAt([listening.port], {
        bind: { dn: `cn=svc,${SUFFIX}`, password: () => '' },
      });
      await expect(ask(directory, 'alice')).rejects.toThrow('cannot sign in');
      expect(listening.sent).toHaveLength(0);
    });

    it('a limit on all pages together', async () => {
      await using small = await startSlapd({
        suffix: SUFFIX,
        ldif: directoryTree(),
        globalConfiguration: ACTIVE_DIRECTORY_SCHEMA,
        databaseConfiguration: RESTRICTED.replace('size.prtotal=unlimited', 'size.prtotal=5'),
      });
      const directory = await directoryAt([small.port]);
      await expect(ask(directory, 'carol')).rejects.toMatchObject({ name: 'LdapResultError', resultCode: 4 });
      expect(await ask(directory, 'bob')).toEqual(['cycle-a', 'cycle-b']);
    });
  });

  describe('the connection', () => {
    it('is one for all who ask at once', async () => {
      const counting = await proxy();
      const directory = await directoryAt([counting.port]);
      await Promise.all(Array.from({ length: 100 }, (_, index) => ask(directory, `user-${index}`)));
      expect(counting.accepted).toBe(1);
    });

    it('is made anew, signed in, after it was cut while idle', async () => {
      const cut = await proxy();
      const directory = await directoryAt([cut.port]);
      await ask(directory, 'alice');
      cut.sever();
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(directory, 'alice')));
      for (const groups of answers) {
        expect(groups).toContain('production-deployers');
      }
      expect(cut.accepted).toBe(2);
    });

    it('is made anew after it was cut in the middle of searches', async () => {
      const cut = await proxy();
      const directory = await directoryAt([cut.port]);
      await ask(directory, 'alice');
      cut.isMuted = true;
      const sentBefore = cut.sent.length;
      const answers = Promise.all(Array.from({ length: 20 }, () => ask(directory, 'alice')));
      await expect.poll(() => cut.sent.length).toBeGreaterThan(sentBefore);
      cut.isMuted = false;
      cut.sever();
      for (const groups of await answers) {
        expect(groups).toContain('production-deployers');
      }
    });

    it('goes to the next server when one falls silent in the middle of searches', async () => {
      const silent = await proxy();
      const directory = await directoryAt([silent.port, slapd.port], { timeoutMs: 1_000 });
      await ask(directory, 'alice');
      silent.isMuted = true;
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(directory, 'alice')));
      for (const groups of answers) {
        expect(groups).toContain('production-deployers');
      }
      // Nobody waits for it again.
      const { accepted } = silent;
      await ask(directory, 'alice');
      expect(silent.accepted).toBe(accepted);
    });

    it('goes to the next server when one accepts and says nothing', async () => {
      const silent = await proxy();
      silent.isMuted = true;
      const directory = await directoryAt([silent.port, slapd.port], { timeoutMs: 1_000 });
      expect(await ask(directory, 'alice')).toContain('platform');
    });

    it('goes to the next server when one is down, and back when it has been up for a while', async () => {
      const clock = { now: 0 };
      const flaky = await proxy();
      flaky.isRefusing = true;
      const directory = await directoryAt([flaky.port, slapd.port], { now: () => clock.now });
      expect(await ask(directory, 'alice')).toContain('platform');
      flaky.isRefusing = false;
      await ask(directory, 'alice');
      expect(flaky.accepted).toBe(1);
      clock.now = 30_000;
      await ask(directory, 'alice');
      expect(flaky.accepted).toBe(2);
    });

    it('lets one who leaves go without cutting the others off', async () => {
      const slow = await proxy();
      const directory = await directoryAt([slow.port]);
      await ask(directory, 'alice');
      slow.isMuted = true;
      const leaving = new AbortController();
      const sentBefore = slow.sent.length;
      const left = directory.groupsOf(principal('alice'), { signal: leaving.signal });
      await expect.poll(() => slow.sent.length).toBeGreaterThan(sentBefore);
      leaving.abort(new Error('gone'));
      await expect(left).rejects.toThrow('gone');
      slow.isMuted = false;
      expect(await ask(directory, 'alice')).toContain('platform');
      expect(slow.accepted).toBe(1);
    });

    it('ends with the directory, questions included', async () => {
      const silent = await proxy();
      const directory = await directoryAt([silent.port]);
      await ask(directory, 'alice');
      silent.isMuted = true;
      const asked = ask(directory, 'alice');
      await directory.close();
      await expect(asked).rejects.toThrow('closed');
      await expect(ask(directory, 'alice')).rejects.toThrow('closed');
    });
  });

  describe('encryption', () => {
    const trusting = { tls: { ca: certificate.cert }, allowCleartextOnLoopback: false };
    const secure = async (port: number, tls: LdapDirectoryOptions['tls'] = trusting.tls) => {
      const directory = await openLdapDirectory({
        ...settings([`ldaps://127.0.0.1:${port}`]),
        ...trusting,
        ...(tls && { tls }),
      });
      open.push(directory);
      return directory;
    };

    it('is there from the start with ldaps', async () => {
      const sniffing = await startTcpProxy(slapd.tlsPort);
      open.push(sniffing);
      expect(await ask(await secure(sniffing.port), 'alice')).toContain('platform');
      expect(sniffing.sent.includes(SERVICE_PASSWORD)).toBe(false);
    });

    it('trusts other authorities from the next connection on, without a restart', async () => {
      let ca = selfSignedCertificate().cert;
      const directory = await secure(slapd.tlsPort, { ca: () => ca });
      await expect(ask(directory, 'alice')).rejects.toMatchObject({ name: 'LdapUnreachableError' });
      ca = certificate.cert;
      await expect
        .poll(() => ask(directory, 'alice').catch(() => []), { timeout: 10_000 })
        .toContain('platform');
    });

    it.each<[string, LdapDirectoryOptions['tls']]>([
      ['that nobody vouches for', {}],
      ['of another name', { ca: certificate.cert, servername: 'directory.example.test' }],
    ])('does not begin with a certificate %s', async (_, tls) => {
      await expect(ask(await secure(slapd.tlsPort, tls), 'alice')).rejects.toMatchObject({
        name: 'LdapUnreachableError',
      });
    });

    it('begins with StartTLS before anything is said, and again after the connection was cut', async () => {
      const sniffing = await proxy();
      const directory = await directoryAt([sniffing.port], { ...trusting, startTls: true });
      for (let round = 1; round <= 3; round += 1) {
        expect(await ask(directory, 'alice')).toContain('production-deployers');
        expect(sniffing.accepted).toBe(round);
        sniffing.sever();
      }
      expect(sniffing.sent.includes(SERVICE_PASSWORD)).toBe(false);
      expect(sniffing.sent.includes('alice')).toBe(false);
    });

    it('is not given up when the server refuses StartTLS', async () => {
      await using cleartext = await startSlapd({
        suffix: SUFFIX,
        ldif: directoryTree(),
        globalConfiguration: ACTIVE_DIRECTORY_SCHEMA,
      });
      const sniffing = await startTcpProxy(cleartext.port);
      open.push(sniffing);
      const directory = await directoryAt([sniffing.port], {
        ...trusting,
        startTls: true,
        allowCleartextOnLoopback: true,
      });
      await expect(ask(directory, 'alice')).rejects.toMatchObject({ name: 'LdapUnreachableError' });
      expect(sniffing.sent.includes(SERVICE_PASSWORD)).toBe(false);
      expect(sniffing.accepted).toBe(1);
    });

    it('does not begin with a StartTLS certificate that nobody vouches for', async () => {
      const sniffing = await proxy();
      const directory = await directoryAt([sniffing.port], { startTls: true });
      await expect(ask(directory, 'alice')).rejects.toMatchObject({ name: 'LdapUnreachableError' });
      expect(sniffing.sent.includes(SERVICE_PASSWORD)).toBe(false);
    });
  });

  it('is asked once per caller by a thousand callers who come at once, five times each', async () => {
    const policy = createPolicy({
      version: 1,
      permissions: ['deploy:staging'],
      groups: ['everybody'],
      grants: [{ group: 'everybody', allow: ['deploy:*'] }],
    });
    await using authenticator = createAuthenticator({
      // Who is calling is not the question here.
      verifier: {
        verify: async (token) => ({ ...principal(token), scopes: ['deploy:staging'], expiresAt: 4e12 }),
      },
      // Two searches each: even a busy machine has done them all within the deadline of a look-up.
      directory: await directoryAt([slapd.port], {
        groups: { ...settings([]).groups, strategy: 'memberOf' },
      }),
      policy,
    });
    const before = slapd.searches.length;
    const tokens = Array.from({ length: 5_000 }, (_, index) => `user-${index % 1_000}`);
    const callers = await Promise.all(
      tokens.map((token) => authenticator.authenticateToken(token, { signal })),
    );
    const expected = tokens.map((token) => [`${ISSUER}#${token}`, 'deploy:staging']);
    expect(callers.map(({ id, permissions }) => [id, ...permissions])).toEqual(expected);
    const asked = () => slapd.searches.slice(before).filter((filter) => filter.includes('(uid='));
    await expect.poll(() => asked().length).toBeGreaterThanOrEqual(1_000);
    expect(new Set(asked()).size).toBe(asked().length);
    expect(asked()).toHaveLength(1_000);
  });

  it('revokes, goes away and comes back: production follows at once, staging has time', async () => {
    await using mortal = await startSlapd({
      suffix: SUFFIX,
      ldif: directoryTree(),
      globalConfiguration: ACTIVE_DIRECTORY_SCHEMA,
    });
    const clock = { now: Date.now() };
    const now = () => clock.now;
    const policy = createPolicy({
      version: 1,
      permissions: ['deploy:staging', 'deploy:production'],
      groups: ['platform', 'production-deployers'],
      grants: [{ group: 'platform', allow: ['deploy:*'] }],
      require: { 'deploy:production': { allGroups: ['production-deployers'], fresh: true } },
    });
    await using authenticator = createAuthenticator({
      verifier: {
        verify: async (token) => ({ ...principal(token), scopes: policy.permissions, expiresAt: 4e12 }),
      },
      directory: await directoryAt([mortal.port], { now }),
      policy,
      now,
    });
    const authorizer = createFreshPolicy({ policy, authenticator });
    const decide = async (permission: string) =>
      authorizer.decide(await authenticator.authenticateToken('alice', { signal }), permission, { signal });
    const member = (change: 'add' | 'delete') =>
      mortal.apply(
        `dn: cn=leads,ou=groups,${SUFFIX}\nchangetype: modify\n${change}: member\nmember: cn=platform,ou=groups,${SUFFIX}\n`,
      );
    await mortal.apply(
      `dn: cn=leads,ou=groups,${SUFFIX}\nchangetype: modify\nadd: member\nmember: cn=nobody,${SUFFIX}\n`,
    );

    expect(await decide('deploy:production')).toMatchObject({ allowed: true });
    await member('delete');
    clock.now += 30_001;
    expect(await decide('deploy:production')).toMatchObject({ allowed: false, reason: 'missing_group' });
    expect(await decide('deploy:staging')).toMatchObject({ allowed: true });

    await member('add');
    await mortal.kill();
    clock.now += 890_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: false, reason: 'unavailable' });
    expect(await decide('deploy:staging')).toMatchObject({ allowed: true });
    clock.now += 30_000;
    await expect(decide('deploy:staging')).rejects.toMatchObject({ code: 'unavailable' });

    await mortal.restart();
    clock.now += 30_000;
    expect(await decide('deploy:production')).toMatchObject({ allowed: true });
  });
});
