import { describe, expect, it } from 'vitest';

import { describe as describeIntent, encodeIntent, encodeOutcome, eventPayload } from './encode.ts';
import { auditEventSchema, type AuditIntent } from './event.ts';

const source = {
  writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
  server: { name: 'server', version: '1.0.0' },
};
const TIME = Date.parse('2026-01-02T03:04:05.678Z');

const intent: AuditIntent = {
  actor: { id: 'https://issuer.test#user-1', kind: 'user', groups: ['platform'] },
  action: 'tools/call',
  target: 'trigger_deployment',
  correlationId: 'correlation-1',
  transport: 'http',
  urgent: false,
};

function stored(given: object) {
  const event = encodeIntent(describeIntent(source, { ...intent, ...given }), { ...intent, ...given }, TIME);
  return { event, read: auditEventSchema.parse(JSON.parse(eventPayload(event, 7))) };
}

describe('an encoded intent', () => {
  it('is what the public schema reads', () => {
    const { event, read } = stored({ arguments: { service: 'a' }, rule: 'policy.yaml:1' });
    expect(read).toEqual({
      ...intent,
      ...source,
      schemaVersion: 1,
      sequence: 7,
      id: event.id,
      time: '2026-01-02T03:04:05.678Z',
      stage: 'intent',
      arguments: { service: 'a' },
      rule: 'policy.yaml:1',
    });
  });

  it('cannot be given an identity, a stage or a result by its caller', () => {
    const { event, read } = stored({ id: 'mine', stage: 'outcome', sequence: 1, result: 'success', x: 'y' });
    expect(read).toMatchObject({ id: event.id, stage: 'intent', sequence: 7 });
    expect(read).not.toHaveProperty('result');
    expect(read).not.toHaveProperty('x');
  });

  it('holds no name of a caller that is not known', () => {
    const actor = { id: 'anonymous', kind: 'anonymous', groups: [], displayName: 'Ada', email: 'a@b.test' };
    expect(stored({ actor }).read.actor).toEqual({ id: 'anonymous', kind: 'anonymous', groups: [] });
  });

  it('leaves out arguments that are too large, and says so', () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`a${index}`, 'x'.repeat(1000)]),
    );
    const { read } = stored({ arguments: many });
    expect(read).toMatchObject({ argumentsOmitted: true });
    expect(read).not.toHaveProperty('arguments');
  });

  it('is refused when it is too large without its arguments', () => {
    const groups = Array.from({ length: 200 }, () => 'g'.repeat(1000));
    expect(() => stored({ actor: { ...intent.actor, groups } })).toThrow(
      expect.objectContaining({ code: 'invalid_event' }),
    );
  });
});

describe('an encoded outcome', () => {
  it('repeats its intent, and is shipped at once when it is a denial', () => {
    const description = describeIntent(source, { ...intent, resource: 'a/b' });
    const intentId = encodeIntent(description, intent, TIME).id;
    const outcome = encodeOutcome(description, intentId, { result: 'denied', reason: 'scope' }, TIME);
    expect(outcome).toMatchObject({ intentId, deliverAtOnce: true });
    expect(auditEventSchema.parse(JSON.parse(eventPayload(outcome, 8)))).toMatchObject({
      ...intent,
      stage: 'outcome',
      resource: 'a/b',
      intentId,
      result: 'denied',
      reason: 'scope',
    });
  });
});
