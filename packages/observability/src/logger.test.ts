import { trace } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { createLogger } from './logger.ts';

function createLoggerInMemory(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level,
    destination: { write: (line) => void lines.push(line) },
  });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> };
}

describe('createLogger', () => {
  it('writes one JSON line with level name, ISO time, fields and message', () => {
    const { logger, lines, last } = createLoggerInMemory();
    logger.info({ upstream: 'deployment-api', attempt: 2 }, 'retrying');
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toMatchObject({
      level: 'info',
      name: 'test',
      upstream: 'deployment-api',
      attempt: 2,
      msg: 'retrying',
    });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes into a line what is of that line, and nothing of the lines before', () => {
    const { logger, last } = createLoggerInMemory();
    const record = { caller: 'alice' };
    logger.info(record, 'first');
    logger.info({ attempt: 2 }, 'second');
    expect(last()).not.toHaveProperty('caller');
    logger.child({ tool: 'a' }).info({}, 'third');
    expect(Object.keys(last()).toSorted()).toEqual([
      'hostname',
      'level',
      'msg',
      'name',
      'pid',
      'time',
      'tool',
    ]);
    expect(record).toEqual({ caller: 'alice' });
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = createLoggerInMemory('info');
    logger.debug({}, 'detail');
    expect(lines).toEqual([]);
  });

  it('writes an error with its stack and its causes', () => {
    const { logger, last } = createLoggerInMemory();
    logger.error({ error: new Error('outer', { cause: new TypeError('inner') }) }, 'failed');
    expect(last()['error']).toMatchObject({
      type: 'Error',
      message: 'outer',
      stack: expect.stringContaining('logger.test.ts'),
      cause: { type: 'TypeError', message: 'inner' },
    });
  });

  it('writes the beginning of an error that is long, and of its cause', () => {
    const { logger, last } = createLoggerInMemory();
    const long = 'x'.repeat(5_000_000);
    logger.error({ err: new Error(long, { cause: new Error(long) }) }, 'failed');
    expect(JSON.stringify(last()).length).toBeLessThan(100_000);
    expect(last()['err']).toMatchObject({ message: expect.stringMatching(/^x+… \(\d+ more characters\)$/u) });
  });

  it.each(['err', 'error', 'cause'])('writes a line for what cannot be read as %s', (name) => {
    const { logger, last } = createLoggerInMemory();
    const { proxy, revoke } = Proxy.revocable(new Error('gone'), {});
    revoke();
    for (const unreadable of [proxy, new Error('outer', { cause: proxy })]) {
      logger.error({ [name]: unreadable }, 'failed');
      expect(last()['msg']).toBe('failed');
    }
  });

  it('survives values that JSON cannot hold', () => {
    const { logger, last } = createLoggerInMemory();
    const circular: Record<string, unknown> = { big: 1n };
    circular['self'] = circular;
    logger.info({ circular }, 'odd');
    expect(last()['msg']).toBe('odd');
  });

  it('never writes a planted token, wherever it was logged', () => {
    const token = fc
      .uint8Array({ minLength: 16, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'));
    fc.assert(
      fc.property(token, (secret) => {
        const { logger, lines } = createLoggerInMemory();
        logger.info({ headers: { authorization: `Bearer ${secret}`, 'x-api-key': secret } }, 'by name');
        logger.info({ a: { b: { c: [{ refreshToken: secret }] } } }, 'deep');
        logger.info({ url: `https://user:${secret}@host/` }, `message with client_secret=${secret}`);
        logger.info(`format %s`, `Bearer ${secret}`);
        logger.child({ password: secret, note: `token=${secret}` }).warn({}, 'child');
        logger.error(new Error(`Bearer ${secret} refused`, { cause: new Error(`password: ${secret}`) }));
        expect(lines).toHaveLength(6);
        expect(lines.join('')).not.toContain(secret);
      }),
    );
  });
});

it('puts the ids of the active trace on a line', () => {
  const { logger, last } = createLoggerInMemory();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const spanId = 'b7ad6b7169203331';
  const active = vi
    .spyOn(trace, 'getActiveSpan')
    .mockReturnValue(trace.wrapSpanContext({ traceId, spanId, traceFlags: 1 }));
  logger.info({}, 'inside');
  active.mockRestore();
  expect(last()).toMatchObject({ trace_id: traceId, span_id: spanId, msg: expect.any(String) });
  logger.info({}, 'outside');
  expect(last()).not.toHaveProperty('trace_id');
});
