import { describe, expect, it } from 'vitest';

import { AuditError } from '../errors.ts';
import { eventPayload, type EncodedEvent } from '../event/encode.ts';
import { auditEventSchema } from '../event/event.ts';
import { Alerts } from './alerts.ts';

const source = {
  writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
  server: { name: 'server', version: '1.0.0' },
};

function alerts(append: (event: EncodedEvent) => Promise<void>) {
  const lines: [fields: object, message: string][] = [];
  const log = (fields: object, message: string): void => void lines.push([fields, message]);
  return {
    alerts: new Alerts(source, { append }, { logger: { warn: log, error: log }, now: () => 0 }),
    lines,
  };
}

describe('an alert', () => {
  it('is in the log, in the health and in the trail, to be shipped at once', async () => {
    const events: EncodedEvent[] = [];
    const { alerts: made, lines } = alerts(async (event) => void events.push(event));
    await made.raise('damaged', '0000000001.jsonl', { sequence: 5 });
    expect(lines).toEqual([
      [{ action: 'audit/damaged', target: '0000000001.jsonl', sequence: 5 }, 'audit alert'],
    ]);
    expect(made.last).toMatchObject({ code: 'damaged' });
    expect(events.every(({ deliverAtOnce }) => deliverAtOnce)).toBe(true);
    const stored = events.map((event, index) =>
      auditEventSchema.parse(JSON.parse(eventPayload(event, index + 1))),
    );
    expect(stored).toMatchObject([
      { stage: 'intent', action: 'audit/damaged', transport: 'internal', arguments: { sequence: 5 } },
      { stage: 'outcome', intentId: stored[0]?.id, result: 'failure', reason: 'damaged' },
    ]);
  });

  it('is raised once for each target', async () => {
    const { alerts: made, lines } = alerts(() => Promise.resolve());
    await made.raise('damaged', 'a', {});
    await made.raise('damaged', 'a', {});
    await made.raise('damaged', 'b', {});
    await made.raise('rejected_by_sink', 'a', {});
    expect(lines).toHaveLength(3);
  });

  it('stays in log and health when it cannot be recorded', async () => {
    const refusal = new AuditError('unavailable', 'no');
    const { alerts: made, lines } = alerts(() => Promise.reject(refusal));
    await made.raise('damaged', 'a', {});
    expect(made.last).toMatchObject({ code: 'damaged' });
    expect(lines[1]).toEqual([{ err: refusal, action: 'audit/damaged' }, 'audit alert not recorded']);
  });
});
