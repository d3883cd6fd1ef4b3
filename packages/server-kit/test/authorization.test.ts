import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createClientKey, startGuardedServer, type GuardedServer } from './guarded-server.ts';
import { openClient, type Era } from './mcp-request.ts';

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await startGuardedServer();
});
afterAll(() => guarded[Symbol.asyncDispose]());

const client = (era: Era, subject: string, claims?: object) =>
  openClient(guarded.url, era, guarded.token(subject, claims));
/** What the directory says from the moment on that the next request has been let in, and its groups have aged. */
function afterTheRequest(groupsOf: GuardedServer['groupsOf']): void {
  const before = guarded.groupsOf;
  guarded.directoryAheadMs += 3_600_000;
  guarded.groupsOf = (principal, options) => {
    guarded.groupsOf = groupsOf;
    guarded.directoryAheadMs += 31_000;
    return before(principal, options);
  };
}

const deploy = (environment: string) => ({ name: 'deploy', arguments: { environment } });

describe.each(['2025', '2026'] as const)('over HTTP in the era of %s', (era) => {
  it('a call that lacks a scope is answered with 403 and all scopes it needs, before it runs', async () => {
    guarded.deployed.length = 0;
    const { send } = await client(era, 'ann', { scope: 'deploy:read deploy:staging' });
    const answer = await send('tools/call', deploy('production'));
    expect(answer.status).toBe(403);
    const challenge = answer.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="deploy:read deploy:production"');
    expect(challenge).toContain('resource_metadata="https://mcp.example.test/.well-known/');
    expect(guarded.deployed).toEqual([]);
  });

  it('a tool that a better token would open is shown, and its call asks for that token', async () => {
    const { send } = await client(era, 'ann', { scope: 'deploy:read' });
    const { message } = await send('tools/list');
    expect(message.result?.['tools']).toMatchObject([{ name: 'deploy' }, { name: 'whoami' }]);
    // What is in the back end is not: nothing there is asked for without the scope.
    expect((await send('resources/list')).message.result?.['resources']).toEqual([]);
    const answer = await send('tools/call', deploy('staging'));
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('scope="deploy:read deploy:staging"');
  });

  it.each([
    ['resources/read', { uri: 'runs://production' }],
    ['prompts/get', { name: 'plan', arguments: { environment: 'production' } }],
  ])('%s asks for scopes in the same way', async (method, params) => {
    const { send } = await client(era, 'ann', { scope: 'deploy:read deploy:staging' });
    const answer = await send(method, params);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('a broader scope is enough, for the gate and for the call', async () => {
    const { send } = await client(era, 'ann', { scope: 'deploy:admin' });
    const answer = await send('tools/call', deploy('production'));
    expect(answer.status).toBe(200);
    expect(answer.message.result).toMatchObject({
      structuredContent: { by: expect.stringContaining('#ann') },
    });
  });

  it('a missing group is the tool’s to tell, and no new token is asked for', async () => {
    const { send } = await client(era, 'ben');
    const answer = await send('tools/call', deploy('production'));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(answer.message.result).toMatchObject({ isError: true });
    expect(answer.text).not.toContain('insufficient_scope');
  });

  it('arguments that do not parse are the call’s to refuse', async () => {
    const { send } = await client(era, 'ann', { scope: 'deploy:read deploy:staging' });
    for (const environment of ['Production', ' production', 'production\u0000']) {
      const answer = await send('tools/call', deploy(environment));
      expect(answer.status).toBe(200);
      expect(answer.message.result).toMatchObject({ isError: true });
    }
  });

  it('a tool that the caller may not see is answered like one that does not exist', async () => {
    const { send } = await client(era, 'vic');
    const hidden = await send('tools/call', deploy('staging'));
    const unknown = await send('tools/call', { name: 'deplox', arguments: { environment: 'staging' } });
    expect(hidden.status).toBe(unknown.status);
    expect(hidden.message.error?.code).toBe(unknown.message.error?.code);
    expect(hidden.message.error?.message.replace('deploy', 'deplox')).toBe(unknown.message.error?.message);
  });

  it('lists hold what the caller may use, and no cache may share them', async () => {
    const names = async (subject: string, method: string, member: string) => {
      const { message } = await (await client(era, subject)).send(method);
      // The 2025 era has no caches to tell.
      expect(message.result?.['cacheScope']).toBe(era === '2026' ? 'private' : undefined);
      // A list of entries with names.
      const entries = (message.result ?? {})[member] as { readonly name: string }[];
      return entries.map(({ name }) => name);
    };
    expect(await names('ann', 'tools/list', 'tools')).toEqual(['deploy', 'whoami']);
    expect(await names('vic', 'tools/list', 'tools')).toEqual(['whoami']);
    expect(await names('vic', 'prompts/list', 'prompts')).toEqual([]);
    expect(await names('vic', 'resources/templates/list', 'resourceTemplates')).toEqual([]);
    expect(await names('vic', 'resources/list', 'resources')).toEqual([]);
  });

  it('resources, prompts and completions are guarded as tools are', async () => {
    const { send } = await client(era, 'vic');
    const ref = { type: 'ref/resource', uri: 'runs://{environment}' };
    for (const [method, params] of [
      ['resources/read', { uri: 'runs://staging' }],
      ['prompts/get', { name: 'plan', arguments: { environment: 'staging' } }],
      ['completion/complete', { ref, argument: { name: 'environment', value: '' } }],
    ] as const) {
      const { message } = await send(method, params);
      expect(message.error).toBeDefined();
      expect(message.result).toBeUndefined();
    }
  });

  it('production is refused with 503 while the directory cannot be asked, and comes back by itself', async () => {
    const { send } = await client(era, 'ann');
    const { groupsOf } = guarded;
    afterTheRequest(() => Promise.reject(new Error('ldap://10.0.0.3 down')));
    const answer = await send('tools/call', deploy('production'));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answer.headers.get('www-authenticate')).toBeNull();
    expect(answer.text).not.toContain('10.0.0.3');
    guarded.groupsOf = groupsOf;
    guarded.directoryAheadMs += 3_600_000;
    await expect.poll(async () => (await send('tools/call', deploy('production'))).status).toBe(200);
  });

  it('a group that is revoked between request and decision ends production at once', async () => {
    const { send } = await client(era, 'ann');
    const { groupsOf } = guarded;
    afterTheRequest(() => Promise.resolve(['developers']));
    guarded.deployed.length = 0;
    const answer = await send('tools/call', deploy('production'));
    guarded.groupsOf = groupsOf;
    guarded.directoryAheadMs += 3_600_000;
    expect(answer.message.result).toMatchObject({ isError: true });
    expect(guarded.deployed).toEqual([]);
  });
});

describe('a token', () => {
  it.each(['GET', 'POST', 'DELETE'])('is needed for %s, and none is taken from the URL', async (method) => {
    const url = `${guarded.url}?access_token=${guarded.token('ann')}`;
    const answer = await fetch(url, { method });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer resource_metadata=".*, DPoP .*algs="ES256"$/,
    );
    expect(answer.headers.get('www-authenticate')).not.toContain('error=');
  });

  it('that expired and lacks a scope is 401, not 403', async () => {
    const token = guarded.token('ann', { exp: Math.floor(Date.now() / 1000) - 60, scope: '' });
    const answer = await fetch(guarded.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('that is bound to a key opens nothing without a proof of it, nor with a used one', async () => {
    const key = createClientKey();
    const token = guarded.token('ann', { cnf: { jkt: key.thumbprint } });
    const { send } = await openClient(guarded.url, '2026', token);
    const authorization = `DPoP ${token}`;
    const stolen = await send('tools/list');
    expect(stolen.status).toBe(401);
    expect(stolen.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_dpop_proof"/);
    const dpop = key.proof(token);
    expect((await send('tools/list', {}, { authorization, dpop })).status).toBe(200);
    expect((await send('tools/list', {}, { authorization, dpop })).status).toBe(401);
    expect((await send('tools/list', {}, { authorization, dpop: key.proof('another') })).status).toBe(401);
    expect(
      (await send('tools/list', {}, { authorization, dpop: createClientKey().proof(token) })).status,
    ).toBe(401);
    expect((await send('tools/list', {}, { authorization, dpop: key.proof(token) })).status).toBe(200);
  });

  it('and what it lacks leaves a record of who asked, under the id that the log has', async () => {
    guarded.logged.length = 0;
    const { send } = await openClient(
      guarded.url,
      '2026',
      guarded.token('ann', { scope: 'deploy:staging deploy:read' }),
    );
    await send('tools/call', deploy('production'));
    const refusal = guarded.logged.find(({ message }) => message === 'request refused at the gate');
    expect(refusal?.fields).toMatchObject({
      code: 'insufficient_scope',
      reason: 'the token lacks scopes for deploy:production',
    });
    const correlationId = String(
      Object.entries(refusal?.fields ?? {}).find(([name]) => name === 'correlationId')?.[1],
    );
    const records = (await guarded.auditText()).split('\n').filter((line) => line.includes(correlationId));
    expect(records.join()).toContain('tools/call');
    expect(records.join()).toContain('insufficient_scope');
  });

  it('is in no log line and no audit record, whether it was good or bad', async () => {
    guarded.logged.length = 0;
    const good = guarded.token('ann');
    const bad = [
      guarded.token('ann', { aud: 'https://canary-5f1d.test' }),
      guarded.token('canary-5f1d\u0000'),
      `${good}x`,
      'canary-5f1d',
      'x'.repeat(9_000),
    ];
    const { send } = await openClient(guarded.url, '2025', good);
    await send('tools/call', deploy('production'));
    for (const token of bad) {
      for (const authorization of [`Bearer ${token}`, `DPoP ${token}`, `Bearer ${token}, Bearer ${token}`]) {
        const { status } = await fetch(guarded.url, {
          method: 'POST',
          headers: { authorization, dpop: 'canary-5f1d' },
        });
        expect([400, 401, 431]).toContain(status);
      }
    }
    const everything = inspect(guarded.logged, {
      depth: Infinity,
      maxArrayLength: Infinity,
      maxStringLength: Infinity,
      showHidden: true,
    });
    const records = await guarded.auditText();
    for (const token of [good, ...bad.filter((token) => token.length < 9_000)]) {
      for (const part of token.split('.').filter((part) => part.length > 8)) {
        // The header is the same for all tokens and says nothing.
        if (good.startsWith(part)) {
          continue;
        }
        expect(everything).not.toContain(part);
        expect(records).not.toContain(part);
      }
    }
    expect(everything + records).not.toContain('canary-5f1d');
    expect(everything + records).not.toContain('x'.repeat(100));
  });
});
