import { describe, expect, it, vi } from 'vitest';

import { auditEventSchema } from '../../event/event.ts';
import { UsageError } from '../usage/command.ts';
import { createFilter, parseTime } from './filter.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');

function event(time: string, given: object = {}) {
  return auditEventSchema.parse({
    schemaVersion: 1,
    writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
    sequence: 1,
    id: '0199d3a1-1c00-7000-8000-000000000001',
    time,
    server: { name: 'server', version: '1.0.0' },
    actor: { id: 'https://idp.test#Alice', kind: 'user', groups: [] },
    action: 'tools/call',
    target: 'get_status',
    correlationId: 'c',
    transport: 'http',
    urgent: false,
    stage: 'intent',
    ...given,
  });
}

describe('the instants of a filter', () => {
  it.each([
    ['90s', '2026-03-01T11:58:30.000Z'],
    ['15m', '2026-03-01T11:45:00.000Z'],
    ['2h', '2026-03-01T10:00:00.000Z'],
    ['7d', '2026-02-22T12:00:00.000Z'],
    ['2026-02-28', '2026-02-28T00:00:00.000Z'],
    ['2026-02-28T10:00:00+02:00', '2026-02-28T08:00:00.000Z'],
    ['2026-02-28T10:00Z', '2026-02-28T10:00:00.000Z'],
    ['2026-02-28 10:00:00.5Z', '2026-02-28T10:00:00.500Z'],
  ])('reads %s', (text, instant) => {
    const filter = createFilter({ since: text }, NOW);
    expect(new Date(parseTime('--since', text, NOW)).toISOString()).toBe(instant);
    const until = createFilter({ until: text }, NOW);
    const before = new Date(Date.parse(instant) - 1).toISOString();
    expect([filter.matches(event(instant)), filter.matches(event(before))]).toEqual([true, false]);
    expect([until.matches(event(instant)), until.matches(event(before))]).toEqual([false, true]);
  });

  it.each([
    'yesterday',
    '1',
    '15 m',
    '-1h',
    '1w',
    '',
    '10000000000s',
    '2026-13-01',
    '2026-02-30',
    '2025-02-29T10:00:00Z',
    '2026-02-28 junk',
    '2026-02-28 (UTC)',
    '2026-02-28T25:00:00Z',
  ])('refuses "%s"', (text) => {
    for (const name of ['since', 'until']) {
      expect(() => createFilter({ [name]: text }, NOW)).toThrow(UsageError);
    }
  });

  it.each(['2026-02-28T10:00:00', '2026-02-28 10:00', '2026-02-28T10:00:00.000'])(
    'takes "%s" without a zone for UTC, as a date is and as the trail is written',
    (text) => {
      vi.stubEnv('TZ', 'America/New_York');
      try {
        expect(new Date(parseTime('--since', text, NOW)).toISOString()).toBe('2026-02-28T10:00:00.000Z');
      } finally {
        vi.unstubAllEnvs();
      }
    },
  );
});

describe('a filter', () => {
  it('finds a part of the id whatever its case, and the whole name of a tool', () => {
    const made = event('2026-03-01T11:00:00.000Z');
    expect(createFilter({ user: 'alice' }, NOW).matches(made)).toBe(true);
    expect(createFilter({ user: 'bob' }, NOW).matches(made)).toBe(false);
    expect(createFilter({ tool: 'get_status' }, NOW).matches(made)).toBe(true);
    expect(createFilter({ tool: 'get' }, NOW).matches(made)).toBe(false);
  });

  it('takes intents for no result, and refuses results that do not exist', () => {
    const outcome = { stage: 'outcome', intentId: '0199d3a1-1c00-7000-8000-000000000001', result: 'denied' };
    const filter = createFilter({ result: 'denied,failure' }, NOW);
    expect(filter.matches(event('2026-03-01T11:00:00.000Z'))).toBe(false);
    expect(filter.matches(event('2026-03-01T11:00:00.000Z', outcome))).toBe(true);
    expect(() => createFilter({ result: 'denied,open' }, NOW)).toThrow(UsageError);
  });
});
