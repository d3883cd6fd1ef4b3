import { describe, expect, it } from 'vitest';

import { AuditError } from '../errors.ts';
import { healthOf } from './health.ts';

const NOW = 1_000_000;

function delivery(sinkName: string, status: object = {}) {
  const idle = { backlog: 0, oldestAt: undefined, failures: 0, quarantined: 0, lastError: undefined };
  return { sinkName, status: { ...idle, ...status } };
}

const refusals = { recorded: 0, counted: 0, pending: 0 };
const disk = { usedBytes: 1, maxBytes: 2 };
const well = { failure: undefined, trouble: undefined, deliveries: [], refusals, disk, now: NOW };

describe('the health of a trail', () => {
  it('is ok without sinks, and with sinks that wait', () => {
    expect(healthOf(well)).toEqual({
      state: 'ok',
      backlog: 0,
      oldestUndeliveredAgeMs: 0,
      refusals,
      disk,
      sinks: [],
    });
    const deliveries = [delivery('a', { backlog: 3, oldestAt: NOW - 200 }), delivery('b')];
    expect(healthOf({ ...well, deliveries })).toMatchObject({
      state: 'ok',
      backlog: 3,
      oldestUndeliveredAgeMs: 200,
      sinks: [
        { name: 'a', state: 'ok', backlog: 3, oldestUndeliveredAgeMs: 200 },
        { name: 'b', state: 'ok', backlog: 0, oldestUndeliveredAgeMs: 0 },
      ],
    });
  });

  it('is unavailable before all else while nothing is recorded', () => {
    const deliveries = [delivery('a', { lastError: new Error('no') })];
    const failure = new AuditError('unavailable', '/var/lib');
    const trouble = new AuditError('disk_low', '1 byte');
    expect(healthOf({ ...well, failure, trouble, deliveries })).toMatchObject({
      state: 'unavailable',
      lastError: { code: 'unavailable', message: failure.publicMessage },
    });
  });

  it('is degraded by a sink that fails, which is named, and shows no text of its error', () => {
    const deliveries = [
      delivery('a'),
      delivery('b', { failures: 2, lastError: new Error('http://token@host') }),
    ];
    const health = healthOf({ ...well, trouble: new AuditError('damaged', 'x'), deliveries });
    expect(health).toMatchObject({ state: 'degraded', lastError: { code: 'delivery_failed', sink: 'b' } });
    expect(JSON.stringify(health)).not.toContain('token');
    expect(health.sinks.map(({ state }) => state)).toEqual(['ok', 'failing']);
  });

  it('is degraded by a trouble that needs an operator', () => {
    expect(healthOf({ ...well, trouble: new AuditError('disk_low', '1 byte') })).toMatchObject({
      state: 'degraded',
      lastError: { code: 'disk_low' },
    });
  });

  it('takes no age from a clock that was set back', () => {
    const deliveries = [delivery('a', { backlog: 1, oldestAt: NOW + 5000 })];
    expect(healthOf({ ...well, deliveries })).toMatchObject({
      oldestUndeliveredAgeMs: 0,
      sinks: [{ oldestUndeliveredAgeMs: 0 }],
    });
  });
});
