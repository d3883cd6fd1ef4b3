import { describe, expect, it } from 'vitest';

import { auditEventSchema, type AuditEvent } from '../event/event.ts';
import { toEcs } from './ecs.ts';
import { toOcsf } from './ocsf.ts';

const common = {
  schemaVersion: 1,
  writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
  time: '2026-01-02T03:04:05.678Z',
  server: { name: 'deployment-server', version: '1.0.0' },
  actor: {
    id: 'https://idp.test#user-1',
    kind: 'user',
    displayName: 'Ada',
    email: 'ada@idp.test',
    groups: ['platform'],
  },
  action: 'tools/call',
  target: 'trigger_deployment',
  resource: 'payment-service/production',
  correlationId: 'correlation-1',
  transport: 'http',
  era: '2026',
  client: { name: 'editor', version: '2.0' },
  sourceAddress: '192.0.2.7',
  rule: 'policy.yaml:7',
  directoryAgeMs: 1500,
  urgent: true,
};

const intent = auditEventSchema.parse({
  ...common,
  sequence: 1,
  id: '0199d3a1-1c00-7000-8000-000000000001',
  stage: 'intent',
  traceId: 'a'.repeat(32),
  arguments: { service: 'payment-service' },
  argumentNames: ['service', 'note'],
  argumentDigests: { note: 'hmac-sha256:k1:abc' },
});

function outcome(fields: object = {}): AuditEvent {
  return auditEventSchema.parse({
    ...common,
    sequence: 2,
    id: '0199d3a1-1c00-7000-8000-000000000002',
    stage: 'outcome',
    intentId: intent.id,
    result: 'success',
    durationMs: 12.4,
    upstreamCalls: [{ upstream: 'deployment API', endpoint: 'deployments.create', outcome: 'ok' }],
    ...fields,
  });
}

const local = auditEventSchema.parse({
  ...outcome({ result: 'unknown', reason: 'interrupted', durationMs: undefined, upstreamCalls: undefined }),
  actor: { id: 'local#stdio', kind: 'user', groups: [], sealed: 'v1.k.iv.data' },
  transport: 'stdio',
  sourceAddress: undefined,
  resource: undefined,
  client: undefined,
});

describe('toOcsf', () => {
  it('makes an intent an API activity that started', () => {
    expect(toOcsf(intent)).toMatchSnapshot();
  });

  it('makes an outcome an API activity with its status', () => {
    expect(toOcsf(outcome())).toMatchSnapshot();
  });

  it('does without what a local call has not', () => {
    expect(toOcsf(local)).toMatchSnapshot();
  });

  it.each([
    ['success', { status_id: 1, status: 'Success' }],
    ['failure', { status_id: 2, status: 'Failure' }],
    ['denied', { status_id: 2, status: 'Failure', status_detail: 'denied' }],
    ['unknown', { status_id: 0, status: 'Unknown' }],
  ])('gives %s its status', (result, status) => {
    expect(toOcsf(outcome({ result, reason: 'a_code' }))).toMatchObject({ ...status, status_code: 'a_code' });
  });

  it.each([
    ['tools/call', 600399],
    ['resources/read', 600302],
    ['prompts/get', 600302],
    ['authenticate', 600399],
  ])('gives %s the type %i', (action, type_uid) => {
    expect(toOcsf(outcome({ action }))).toMatchObject({ class_uid: 6003, category_uid: 6, type_uid });
  });
});

describe('toEcs', () => {
  it('makes an intent the start of an API event', () => {
    expect(toEcs(intent)).toMatchSnapshot();
  });

  it('makes an outcome the end of an API event', () => {
    expect(toEcs(outcome())).toMatchSnapshot();
  });

  it('does without what a local call has not', () => {
    expect(toEcs(local)).toMatchSnapshot();
  });

  it.each([
    ['success', 'success', ['end']],
    ['failure', 'failure', ['end']],
    ['denied', 'failure', ['end', 'denied']],
    ['unknown', 'unknown', ['end']],
  ])('gives %s the outcome %s', (result, expected, type) => {
    expect(toEcs(outcome({ result }))).toMatchObject({ event: { outcome: expected, type } });
  });

  it('keeps an address that is no IP address out of the IP field', () => {
    expect(toEcs(outcome({ sourceAddress: 'proxy' }))['source']).toEqual({ address: 'proxy' });
  });
});

describe.each([
  { name: 'toOcsf', map: toOcsf },
  { name: 'toEcs', map: toEcs },
])('$name', ({ map }) => {
  it('gives plain JSON and leaves the event as it is', () => {
    for (const event of [intent, outcome(), local]) {
      const before = structuredClone(event);
      const mapped = map(event);
      expect(JSON.parse(JSON.stringify(mapped))).toEqual(mapped);
      expect(event).toEqual(before);
    }
  });
});

describe('an event that stands for many refusals', () => {
  const refusals = {
    count: 60,
    reasons: { missing_token: 60 },
    since: '2026-01-02T03:04:00.000Z',
    until: '2026-01-02T03:04:59.000Z',
  };
  const counted = outcome({
    result: 'denied',
    reason: 'missing_token',
    sourceAddress: '2001:db8:0:0::/64',
    truncated: ['actor.groups'],
    refusals,
  });

  it('has their number and their time in OCSF, and no network for an address', () => {
    expect(toOcsf(counted)).toMatchObject({
      count: 60,
      start_time: Date.parse(refusals.since),
      end_time: Date.parse(refusals.until),
      src_endpoint: { name: '2001:db8:0:0::/64' },
      unmapped: { refusal_reasons: { missing_token: 60 }, truncated: ['actor.groups'] },
    });
  });

  it('has their number in ECS', () => {
    expect(toEcs(counted)).toMatchObject({
      mcp: {
        audit: { refusals: { count: 60, reasons: '{"missing_token":60}' }, truncated: ['actor.groups'] },
      },
    });
  });
});
