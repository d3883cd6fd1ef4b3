import * as fc from 'fast-check';
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

const hugeValue = fc.constantFrom<unknown>(
  Array.from({ length: 20_000 }, (_, index) => `entry ${index}`),
  Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`member ${index}`, index])),
  Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => ['\u0000'.repeat(2000)])),
  '\u202e'.repeat(1_000_000),
  nested(5000),
);

function nested(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) {
    value = level % 2 === 0 ? [value] : { value };
  }
  return value;
}

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

  it('is recorded whatever groups its caller has: those that do not fit are cut, and named', () => {
    for (const [count, length] of [
      [1000, 512],
      [260, 512],
      [5000, 20],
      [1000, 100],
    ] as const) {
      const groups = Array.from({ length: count }, (_, index) => String(index).padEnd(length, 'g'));
      const { event, read } = stored({ actor: { ...intent.actor, groups } });
      expect(event.body.length).toBeLessThan(28_000);
      expect(read).toMatchObject({ actor: { id: intent.actor.id }, truncated: ['actor.groups'] });
      expect(read.actor.groups.length).toBeGreaterThan(30);
      expect(groups.slice(0, read.actor.groups.length)).toEqual(read.actor.groups);
    }
  });

  it('keeps all groups that fit, and is not marked then', () => {
    const groups = Array.from({ length: 250 }, () => crypto.randomUUID());
    const { read } = stored({ actor: { ...intent.actor, groups } });
    expect(read.actor.groups).toEqual(groups);
    expect(read).not.toHaveProperty('truncated');
  });

  it('is recorded whatever JSON its fields and arguments are', () => {
    const field = fc.oneof(fc.jsonValue(), fc.string({ maxLength: 5000 }), hugeValue);
    const fields = fc.record({
      target: field,
      client: field,
      resource: field,
      argumentNames: field,
      argumentDigests: field,
      arguments: field,
      groups: field,
    });
    fc.assert(
      fc.property(fields, ({ groups, ...given }) => {
        const whole = { ...intent, ...given, actor: { ...intent.actor, groups } } as unknown as AuditIntent;
        const description = describeIntent(source, whole);
        const begun = encodeIntent(description, whole, TIME);
        const ended = encodeOutcome(description, begun.id, { result: 'success' }, TIME);
        for (const event of [begun, ended]) {
          expect(event.body.length).toBeLessThan(128 * 1024);
          expect(JSON.parse(eventPayload(event, 1))).toMatchObject({
            id: event.id,
            actor: { id: intent.actor.id },
            action: intent.action,
            correlationId: intent.correlationId,
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is recorded although a value of its caller cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = {
      get broken() {
        throw new Error('no');
      },
      proxy,
      deep: nested(20_000),
    };
    expect(stored({ arguments: hostile }).read).toMatchObject({
      arguments: { broken: '[unreadable]', proxy: '[unreadable]' },
    });
  });
});

describe('an encoded outcome', () => {
  it('keeps what fits of many large upstream calls, and is marked', () => {
    const upstreamCalls = Array.from({ length: 300 }, () => ({ upstream: 'x'.repeat(1000), outcome: 'ok' }));
    const description = describeIntent(source, intent);
    const outcome = encodeOutcome(description, 'an-intent', { result: 'failure', upstreamCalls }, TIME);
    expect(outcome.body.length).toBeLessThan(60_000);
    expect(outcome.body).toContain('"truncated":["upstreamCalls"]');
  });

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
