import { describe, expect, it } from 'vitest';

import { createClientCredentials, type ClientCredentialsOptions, type TokenSource } from '../src/index.ts';
import { createTestClock } from '../src/testing/index.ts';
import { signal } from './things.ts';
import { json, startUpstream, type Handler } from './upstream.ts';

const issuing =
  (lifeSeconds: unknown): Handler =>
  (_, response, count) =>
    json(response, 200, { access_token: `token-${count}`, token_type: 'Bearer', expires_in: lifeSeconds });

const source = (url: string, options: Partial<ClientCredentialsOptions>) =>
  createClientCredentials({
    tokenUrl: `${url}/token`,
    clientId: 'deployer',
    clientSecret: () => 's',
    random: () => 0,
    ...options,
  });

const valueOf = async (tokens: TokenSource) => (await tokens.get({ signal })).value;

describe('renewal of a token', () => {
  it('happens in the background after 80 % of its life, while callers keep the present one', async () => {
    const answers: (() => void)[] = [];
    await using provider = await startUpstream((request, response, count) => {
      const answer = () => issuing(3_600)(request, response, count);
      if (count === 1) {
        answer();
      } else {
        answers.push(answer);
      }
    });
    const clock = createTestClock();
    const tokens = source(provider.url, { clock });

    expect(await valueOf(tokens)).toBe('token-1');
    clock.advance(2_879_999);
    expect(await valueOf(tokens)).toBe('token-1');
    expect(provider.received).toHaveLength(1);
    clock.advance(1);
    expect(await Promise.all(Array.from({ length: 20 }, () => valueOf(tokens)))).toEqual(
      Array.from({ length: 20 }, () => 'token-1'),
    );
    await expect.poll(() => answers.length).toBe(1);
    answers[0]?.();
    await expect.poll(() => valueOf(tokens)).toBe('token-2');
    expect(provider.received).toHaveLength(2);
    expect(clock.pending()).toEqual([]);
  });

  it('is spread over the tenth before, so that replicas do not renew together', async () => {
    await using provider = await startUpstream(issuing(3_600));
    const clock = createTestClock();
    const tokens = source(provider.url, { clock, random: () => 0.999_999 });

    await valueOf(tokens);
    clock.advance(2_591_000);
    await valueOf(tokens);
    expect(provider.received).toHaveLength(1);
    clock.advance(2_000);
    await valueOf(tokens);
    await expect.poll(() => provider.received.length).toBe(2);
  });

  it('may fail without a word until the present token has ended, and is not tried more than every 2 s', async () => {
    await using provider = await startUpstream((request, response, count) =>
      count === 1 ? issuing(300)(request, response, count) : json(response, 503, {}),
    );
    const clock = createTestClock();
    const tokens = source(provider.url, { clock });

    await valueOf(tokens);
    clock.advance(240_000);
    expect(await valueOf(tokens)).toBe('token-1');
    await expect.poll(() => clock.pending()).toEqual([]);
    for (let i = 0; i < 10; i++) {
      expect(await valueOf(tokens)).toBe('token-1');
    }
    expect(provider.received).toHaveLength(2);
    clock.advance(30_000);
    await expect(valueOf(tokens)).rejects.toMatchObject({ code: 'server_error' });
  });

  it('happens before the call when the token is in its last 30 s', async () => {
    await using provider = await startUpstream(issuing(300));
    const clock = createTestClock();
    const tokens = source(provider.url, { clock });

    await valueOf(tokens);
    clock.advance(270_000);

    expect(await valueOf(tokens)).toBe('token-2');
  });

  it('counts the life of a token from before it was asked for', async () => {
    const clock = createTestClock();
    await using provider = await startUpstream((request, response, count) => {
      // A response that takes its time.
      if (count === 1) {
        clock.advance(4_000);
      }
      issuing(300)(request, response, count);
    });
    const tokens = source(provider.url, { clock });

    await valueOf(tokens);
    clock.advance(266_000);

    expect(await valueOf(tokens)).toBe('token-2');
  });

  it.each([
    ['a life shorter than the skew', '20', 10_000],
    ['no life at all', undefined, 270_000],
  ])('copes with %s', async (_, lifeSeconds, endsAfterMs) => {
    await using provider = await startUpstream(issuing(lifeSeconds));
    const clock = createTestClock();
    const tokens = source(provider.url, { clock });

    expect(await valueOf(tokens)).toBe('token-1');
    clock.advance(endsAfterMs / 2);
    expect(await valueOf(tokens)).toBe('token-1');
    clock.advance(endsAfterMs / 2);
    expect(await valueOf(tokens)).toBe('token-2');
  });

  it('leaves the provider alone for as long as it asks, but no longer than 30 s', async () => {
    await using provider = await startUpstream((request, response, count) =>
      count === 1
        ? json(response, 429, {}, { 'retry-after': '3600' })
        : issuing(300)(request, response, count),
    );
    const clock = createTestClock();
    const tokens = source(provider.url, { clock });

    await expect(valueOf(tokens)).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 3_600_000 });
    clock.advance(29_999);
    await expect(valueOf(tokens)).rejects.toMatchObject({ code: 'throttled' });
    clock.advance(1);
    expect(await valueOf(tokens)).toBe('token-2');
  });
});
