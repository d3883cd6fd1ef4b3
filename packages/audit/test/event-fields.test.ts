import { describe, expect, it } from 'vitest';

import { openAuditTrail, type IntentContext, type OutcomeContext } from '../src/index.ts';
import { intent, options, storedEvents, temporaryDirectory } from './fixtures.ts';

async function stored(context: IntentContext, outcome: OutcomeContext = {}) {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail(options(directory.path));
  const entry = await trail.begin(intent(context));
  await entry.finish({ result: 'success', durationMs: 1, ...outcome });
  return storedEvents(directory.path);
}

describe('the fields of an event', () => {
  it('say why the call was allowed and how fresh the facts were, in intent and outcome', async () => {
    const context = { rule: 'policy.yaml:7', directoryAgeMs: 1500 };
    expect(await stored(context)).toMatchObject([
      { stage: 'intent', ...context },
      { stage: 'outcome', ...context },
    ]);
  });

  it('name the trace around the call and the one it ran in', async () => {
    const [around, inside] = ['a'.repeat(32), 'b'.repeat(32)];
    expect(await stored({ traceId: around }, { traceId: inside })).toMatchObject([
      { traceId: around },
      { traceId: inside },
    ]);
  });

  it('list what the call did behind the server', async () => {
    const upstreamCalls = [
      {
        upstream: 'deployment API',
        endpoint: 'deployments.create',
        outcome: 'ok',
        attempts: 1,
        durationMs: 12,
      },
      { upstream: 'configuration', outcome: 'timeout' },
    ];
    expect((await stored({}, { upstreamCalls }))[1]).toMatchObject({ upstreamCalls });
  });

  it('keep names and digests of arguments beside the values that may be shown', async () => {
    const context = { argumentNames: ['service', 'note'], argumentDigests: { note: 'hmac-sha256:1:abc' } };
    const [begun, ended] = await stored(context);
    expect(begun).toMatchObject({ ...context, arguments: { service: 'payment-service' } });
    expect(ended).not.toHaveProperty('argumentNames');
  });

  it('leave out what nobody knows', async () => {
    const [begun, ended] = await stored({ rule: undefined, argumentNames: undefined });
    for (const name of ['traceId', 'rule', 'directoryAgeMs', 'argumentNames']) {
      expect(begun).not.toHaveProperty(name);
    }
    expect(ended).not.toHaveProperty('upstreamCalls');
  });

  it('list at most 100 arguments and calls', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `argument-${index}`);
    const upstreamCalls = names.map((upstream) => ({ upstream, outcome: 'ok' }));
    const [begun, ended] = await stored({ argumentNames: names }, { upstreamCalls });
    expect(begun).toMatchObject({ argumentNames: { length: 100 } });
    expect(ended).toMatchObject({ upstreamCalls: { length: 100 } });
  });
});
