import { createTelemetry } from '@mcp-parts/observability';
import { expect, it } from 'vitest';

import { observeAudit, observeOrphans } from './audit-metrics.ts';

const sink = {
  name: 'collector',
  state: 'failing',
  backlog: 7,
  oldestUndeliveredAgeMs: 90_000,
  failures: 3,
  quarantined: 1,
} as const;
const health = {
  state: 'degraded',
  backlog: 7,
  oldestUndeliveredAgeMs: 90_000,
  refusals: { recorded: 10, counted: 50, pending: 5 },
  disk: { usedBytes: 4096, maxBytes: 1_000_000, growthBytesPerDay: 96_000, hoursLeft: 249 },
  sinks: [sink],
} as const;
const orphan = { directory: '/var/lib/x', attempts: 5, code: 'delivery_failed' } as const;

it('shows the backlog, the refusals, the disk with its forecast, and what dead processes left', async () => {
  await using telemetry = createTelemetry({ serviceName: 'test', serviceVersion: '1' });
  observeAudit(telemetry, { health: () => health });
  observeOrphans(telemetry, { orphans: () => [{ ...orphan, state: 'set_aside' }] });
  const text = await telemetry.prometheus();
  for (const line of [
    'mcp_audit_recording 1',
    'mcp_audit_oldest_undelivered_age_seconds 90',
    'mcp_audit_sink_quarantined_total{sink="collector"} 1',
    'mcp_audit_refusals_total{form="recorded"} 10',
    'mcp_audit_refusals_total{form="counted"} 55',
    'mcp_audit_disk_used_bytes 4096',
    'mcp_audit_disk_max_bytes 1000000',
    'mcp_audit_disk_growth_per_day_bytes 96000',
    'mcp_audit_disk_time_left_seconds 896400',
    'mcp_audit_orphans{state="waiting"} 0',
    'mcp_audit_orphans{state="set_aside"} 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  // Not known, so not shown as a number.
  expect(text).not.toMatch(/^mcp_audit_disk_free_bytes/mu);
  expect(text).not.toContain('/var/lib');
});
