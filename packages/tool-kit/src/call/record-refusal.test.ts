import { describe, expect, it } from 'vitest';

import { aCaller, aRequest, callerLimit, recordingPorts } from '../../test/fixtures.ts';
import { denies, echo, run, type Setup } from '../../test/run-echo.ts';
import { recordRefusal, targetOf } from './record-refusal.ts';

const caller = aCaller({ groups: ['a'], groupsAsOf: Date.now() - 5_000 });

describe('a refusal', () => {
  it('before the pipeline leaves the same record as one of the pipeline', async () => {
    const piped = await run({
      operation: echo({ audit: undefined }),
      options: { authorizer: denies('missing_scope') },
      request: { caller },
    });
    const ports = recordingPorts();
    await recordRefusal(
      {
        ...aRequest({ caller }),
        action: 'tools/call',
        target: 'echo',
        reason: 'missing_scope',
        durationMs: 0.4,
      },
      ports,
    );

    const ageMs = { directoryAgeMs: expect.closeTo(5_000, -3) };
    const [intent] = piped.intents;
    expect(ports.intents).toEqual([{ ...intent, ...ageMs, argumentNames: undefined }]);
    expect(intent).toMatchObject(ageMs);
    expect(piped.outcomes).toMatchObject([{ result: 'denied', reason: 'missing_scope' }]);
    expect(ports.outcomes).toEqual([{ result: 'denied', reason: 'missing_scope', durationMs: 0 }]);
  });

  it('names nobody where nobody is known, and keeps a long target short', async () => {
    const ports = recordingPorts();
    const target = 'x'.repeat(500);
    await recordRefusal(
      {
        action: 'authenticate',
        target,
        reason: 'invalid_token',
        correlationId: 'c',
        transport: 'http',
        durationMs: 1,
      },
      ports,
    );
    expect(ports.intents).toMatchObject([
      { actor: { id: 'anonymous', kind: 'anonymous', groups: [] }, target: `${'x'.repeat(127)}…` },
    ]);
  });

  it('that cannot be recorded is logged with its cause, and rejects nothing', async () => {
    const { logger, logged } = recordingPorts();
    const cause = new Error('disk full');
    const refusal = {
      action: 'a',
      target: 't',
      reason: 'r',
      correlationId: 'c',
      transport: 'http',
      durationMs: 1,
    } as const;
    await recordRefusal(refusal, { audit: { begin: () => Promise.reject(cause) }, logger });
    expect(logged).toEqual([
      { level: 'error', message: 'denial not recorded', fields: { err: cause, correlationId: 'c' } },
    ]);
  });
});

describe('targetOf', () => {
  it.each([
    [{ name: 'echo' }, 'echo'],
    [{ uri: 'thing://1' }, 'thing://1'],
    [{ ref: { type: 'ref/prompt', name: 'plan' } }, 'plan'],
    [{ ref: { type: 'ref/resource', uri: 'thing://{id}' } }, 'thing://{id}'],
    [{ name: 5 }, ''],
    [{}, ''],
  ])('finds in %o what is named', (params, target) => {
    expect(targetOf(params)).toBe(target);
  });
});

describe('a trail that counts refusals', () => {
  it.each<[string, Setup]>([
    ['an unknown target', { operation: undefined }],
    ['invalid arguments', { operation: echo({ arguments: { text: 5 } }) }],
    ['a denial', { operation: echo(), options: { authorizer: denies('missing_group') } }],
    [
      'the rate limit',
      {
        operation: echo(),
        options: callerLimit(async () => ({ allowed: false, retryAfterMs: 5 }) as const),
      },
    ],
  ])('is told of %s, and begins nothing', async (_name, setup) => {
    const refused: unknown[] = [];
    const audit = {
      begin: () => Promise.reject(new Error('not begun')),
      refuse: async (...record: readonly unknown[]) => void refused.push(record),
    };
    const { logged } = await run({ ...setup, options: { ...setup.options, audit } });
    expect(refused).toMatchObject([
      [{ action: 'tools/call', target: 'echo' }, { reason: expect.any(String) }],
    ]);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is not asked about a call that ran', async () => {
    const refused: unknown[] = [];
    const { audit, outcomes } = recordingPorts();
    const refuse = async (...record: readonly unknown[]) => void refused.push(record);
    await run({
      operation: echo({ run: () => Promise.reject(new Error('no')) }),
      options: { audit: { ...audit, refuse } },
    });
    expect(refused).toEqual([]);
    expect(outcomes).toMatchObject([{ result: 'failure', reason: 'internal' }]);
  });
});
