import { findService, selfSignedCertificate, startRedis, startTcpProxy } from '@mcp-parts/test-services';
import { describe, expect, it, vi } from 'vitest';

import { openRedis, type Logger } from '../src/index.ts';

const program = findService({ program: 'redis-server', debianPackage: 'redis-server' });
const claim = { ttlMs: 60_000 };

function recordingLogger() {
  const lines: string[] = [];
  const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { info: write, warn: write, error: write };
  return { lines, logger };
}

describe.skipIf(program === undefined)('the connection', () => {
  it('is encrypted, checks the certificate, and signs in', async () => {
    const certificate = selfSignedCertificate();
    await using server = await startRedis({ certificate, settings: ['--requirepass', 'the password'] });
    const options = { url: server.url, ca: certificate.cert, password: 'the password' };
    await using redis = await openRedis(options);
    expect(await redis.replays.claim('a', claim)).toBe(true);
    await using stranger = await openRedis({ ...options, ca: undefined });
    await expect(stranger.replays.claim('a', claim)).rejects.toMatchObject({ code: 'unavailable' });
    await using unknown = await openRedis({ ...options, password: 'another' });
    await expect(unknown.replays.claim('a', claim)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is open without a redis, and tells when that comes and goes, once each, without a password', async () => {
    await using server = await startRedis({ settings: ['--requirepass', 'hunter2'] });
    await server.kill();
    const { lines, logger } = recordingLogger();
    await using redis = await openRedis({ url: `redis://:hunter2@127.0.0.1:${server.port}`, logger });
    expect(redis.isReachable()).toBe(false);
    await server.restart();
    await vi.waitFor(() => expect(redis.isReachable()).toBe(true), { timeout: 15_000 });
    await server.kill();
    await vi.waitFor(() => expect(redis.isReachable()).toBe(false), { timeout: 15_000 });
    const told = lines.filter((line) => /redis is (?:gone|back)/u.test(line));
    expect(told.map((line) => line.slice(0, 13))).toEqual([
      'redis is gone',
      'redis is back',
      'redis is gone',
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('that falls silent is given up and opened anew', async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(server.port);
    await using redis = await openRedis({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 50 });
    expect(await redis.replays.claim('a', claim)).toBe(true);
    const before = proxy.accepted;
    proxy.isMuted = true;
    await expect(redis.replays.claim('b', claim)).rejects.toMatchObject({ code: 'unavailable' });
    await vi.waitFor(() => expect(proxy.accepted).toBeGreaterThan(before), { timeout: 15_000 });
    proxy.isMuted = false;
    await vi.waitFor(async () => expect(await redis.replays.claim(crypto.randomUUID(), claim)).toBe(true), {
      timeout: 15_000,
      interval: 100,
    });
  });

  it('is of no use any more when it was closed', async () => {
    await using server = await startRedis();
    const redis = await openRedis({ url: server.url });
    await redis.close();
    await expect(redis.replays.claim('a', claim)).rejects.toMatchObject({ code: 'closed' });
  });
});
