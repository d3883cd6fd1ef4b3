import type { AuditDiskUse, AuditSinkHealth, AuditTrail, TrailAdoption } from '@mcp-parts/audit';
import type { Telemetry } from '@mcp-parts/observability';

/** Shows at each scrape whether the trail records, and how far behind each sink is. */
export function observeAudit(
  telemetry: Pick<Telemetry, 'observeGauge' | 'observeCounter'>,
  audit: Pick<AuditTrail, 'health'>,
): void {
  observeDisk(telemetry, audit);
  const ofSinks = (value: (sink: AuditSinkHealth) => number) => () =>
    audit.health().sinks.map((sink) => ({ value: value(sink), labels: { sink: sink.name } }));

  telemetry.observeGauge('mcp.audit.recording', 'Whether the audit trail records: 1 or 0.', () =>
    audit.health().state === 'unavailable' ? 0 : 1,
  );
  telemetry.observeGauge(
    'mcp.audit.backlog',
    'Audit events that the slowest sink does not have yet.',
    () => audit.health().backlog,
  );
  telemetry.observeGauge(
    'mcp.audit.oldest_undelivered_age',
    'Age of the oldest audit event that a sink does not have yet.',
    () => audit.health().oldestUndeliveredAgeMs / 1000,
    's',
  );
  telemetry.observeGauge(
    'mcp.audit.sink.backlog',
    'Audit events that this sink does not have yet.',
    ofSinks(({ backlog }) => backlog),
  );
  telemetry.observeGauge(
    'mcp.audit.sink.oldest_undelivered_age',
    'Age of the oldest audit event that this sink does not have yet.',
    ofSinks(({ oldestUndeliveredAgeMs }) => oldestUndeliveredAgeMs / 1000),
    's',
  );
  telemetry.observeCounter(
    'mcp.audit.sink.failures',
    'Failed attempts to deliver audit events to this sink.',
    ofSinks(({ failures }) => failures),
  );
  telemetry.observeCounter(
    'mcp.audit.sink.quarantined',
    'Audit events that this sink does not take and that were set aside.',
    ofSinks(({ quarantined }) => quarantined),
  );
  telemetry.observeCounter(
    'mcp.audit.refusals',
    'Refused requests: with a record of their own, or as part of a count.',
    () => {
      const { recorded, counted, pending } = audit.health().refusals;
      return [
        { value: recorded, labels: { form: 'recorded' } },
        { value: counted + pending, labels: { form: 'counted' } },
      ];
    },
  );
}

/** Shows at each scrape how many trails of dead processes are not shipped yet. */
export function observeOrphans(
  telemetry: Pick<Telemetry, 'observeGauge'>,
  adoption: Pick<TrailAdoption, 'orphans'>,
): void {
  telemetry.observeGauge(
    'mcp.audit.orphans',
    'Audit trails of processes that are gone and that could not be shipped yet.',
    () =>
      (['waiting', 'set_aside'] as const).map((state) => ({
        value: adoption.orphans().filter((orphan) => orphan.state === state).length,
        labels: { state },
      })),
  );
}

function observeDisk(telemetry: Pick<Telemetry, 'observeGauge'>, audit: Pick<AuditTrail, 'health'>): void {
  // What is not known is left out.
  const gauge = (
    name: string,
    description: string,
    unit: string,
    read: (disk: AuditDiskUse) => number | undefined,
  ) =>
    telemetry.observeGauge(
      `mcp.audit.disk.${name}`,
      description,
      () => read(audit.health().disk) ?? [],
      unit,
    );
  gauge('used', 'Bytes of the audit trail on the disk.', 'By', ({ usedBytes }) => usedBytes);
  gauge('max', 'Bytes that the audit trail may have on the disk.', 'By', ({ maxBytes }) => maxBytes);
  gauge('free', 'Free bytes of the disk that holds the audit trail.', 'By', ({ freeBytes }) => freeBytes);
  gauge(
    'growth_per_day',
    'Growth of the audit trail in a day, over the last day.',
    'By',
    ({ growthBytesPerDay }) => growthBytesPerDay,
  );
  gauge(
    'time_left',
    'Time until the audit trail has used up its share or the disk, at the present growth.',
    's',
    ({ hoursLeft }) => hoursLeft && hoursLeft * 3600,
  );
}
