import { directoryContract } from '@mcp-parts/auth/testing';
import { describe, expect, it } from 'vitest';

import { fakeDirectory, startUpstream, testClock } from '../src/index.ts';

const issuer = 'https://idp.example.test';
const somebody = (subject: string) =>
  ({ kind: 'user', id: `${issuer}#${subject}`, issuer, subject, scopes: [], claims: {} }) as never;

describe('fakeDirectory', () => {
  it.each(directoryContract)('$name', async ({ run }) => {
    const groups = ['platform', 'on-call'];
    const directory = fakeDirectory({ [`${issuer}#ada`]: groups });
    const fixture = { directory, member: { principal: somebody('ada'), groups }, loner: somebody('bob') };
    await expect(run(fixture)).resolves.toBeUndefined();
  });

  it('fails as long as it is down', async () => {
    const directory = fakeDirectory({ a: ['b'] });
    const { signal } = new AbortController();

    directory.takeDown(new Error('planted'));
    await expect(directory.groupsOf({ id: 'a' }, { signal })).rejects.toThrow('planted');
    directory.restore();
    expect(await directory.groupsOf({ id: 'a' }, { signal })).toEqual(['b']);
  });
});

describe('startUpstream', () => {
  it('takes one step for each request, and repeats the last', async () => {
    await using upstream = await startUpstream(
      { status: 503, headers: { 'retry-after': '1' } },
      ({ body }) => ({
        status: 200,
        body: { got: body },
      }),
    );

    const first = await fetch(upstream.url);
    const others = [];
    for (const body of ['one', 'two']) {
      others.push(await (await fetch(`${upstream.url}/x?y=1`, { method: 'POST', body })).json());
    }

    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1']);
    expect(others).toEqual([{ got: 'one' }, { got: 'two' }]);
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'POST', path: '/x?y=1', body: 'two' });
  });

  it.each([
    ['reset', 'fetch failed'],
    ['cut-off', 'terminated'],
  ] as const)('breaks the connection (%s)', async (step, message) => {
    await using upstream = await startUpstream(step);
    await expect(fetch(upstream.url).then((response) => response.text())).rejects.toThrow(message);
    expect(upstream.requests).toHaveLength(1);
  });

  it('hangs until the client gives up, and does what a new script says', async () => {
    await using upstream = await startUpstream('hang');
    await expect(fetch(upstream.url, { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');

    upstream.script({ status: 204 });

    expect((await fetch(upstream.url)).status).toBe(204);
  });
});

describe('testClock', () => {
  it('stands still until it is moved, and never goes back', () => {
    const clock = testClock(1_000);
    expect(clock.now()).toBe(1_000);
    clock.advance(500);
    expect(clock.now()).toBe(1_500);
    expect(() => clock.advance(-1)).toThrow('byMs must be 0 or more milliseconds, got -1');
  });
});
