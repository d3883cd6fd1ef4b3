import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { auditEventSchema, type AuditEvent } from '../event/event.ts';
import { syslogFrame } from './syslog-message.ts';

function event(given: object = {}): AuditEvent {
  return auditEventSchema.parse({
    schemaVersion: 1,
    writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
    sequence: 1,
    id: '0199d3a1-1c00-7000-8000-000000000001',
    time: '2026-01-02T03:04:05.678Z',
    server: { name: 'server', version: '1.0.0' },
    actor: { id: 'user', kind: 'user', groups: [] },
    action: 'tools/call',
    target: 'get_status',
    correlationId: 'c',
    transport: 'http',
    urgent: false,
    stage: 'outcome',
    intentId: '0199d3a1-1c00-7000-8000-000000000000',
    result: 'success',
    ...given,
  });
}

const header = { facility: 13, hostName: 'host' };

describe('a syslog frame', () => {
  it.each([
    ['success', 13 * 8 + 6],
    ['failure', 13 * 8 + 5],
    ['denied', 13 * 8 + 4],
    ['unknown', 13 * 8 + 4],
  ])('has a severity that follows the result: %s', (result, priority) => {
    expect(syslogFrame(event({ result }), header)).toMatch(new RegExp(`^\\d+ <${priority}>1 2026-`, 'u'));
  });

  it.each([
    [1, 1],
    [2_147_483_647, 2_147_483_647],
    [2_147_483_648, 1],
  ])('counts %i as RFC 5424 allows', (sequence, id) => {
    expect(syslogFrame(event({ sequence }), header)).toContain(` [meta sequenceId="${id}"] `);
  });

  it('is one message of ASCII with its length before it, whatever the event and the header hold', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, fc.integer({ min: 0, max: 23 }), (target, name, hostName, facility) => {
        const given = event({ target: target.toWellFormed(), server: { name, version: '1' } });
        const frame = syslogFrame(given, { facility, hostName });
        expect(frame).toMatch(/^[\x20-\x7e]+$/u);
        const [length = ''] = frame.split(' ', 1);
        const message = frame.slice(length.length + 1);
        expect(Number(length)).toBe(Buffer.byteLength(message));
        const json = message.slice(message.indexOf('] ') + 2);
        expect(JSON.parse(json)).toEqual(given);
      }),
    );
  });
});
