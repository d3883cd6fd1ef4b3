import type { Telemetry } from '@mcp-parts/observability';

import type { ReadinessCheck } from './readiness.ts';

/** Shows at each scrape how the checks behind readiness ended last, and begins the next ones. */
export function observeChecks(
  telemetry: Pick<Telemetry, 'observeGauge'>,
  { ask, known }: ReadinessCheck,
): void {
  telemetry.observeGauge('mcp.server.ready', 'Whether the server may get traffic: 1 or 0.', () =>
    known().state === 'not_ready' ? 0 : 1,
  );
  telemetry.observeGauge(
    'mcp.server.check',
    'Whether what calls need was there when it was last looked for: 1 or 0.',
    () => {
      void ask();
      return Object.entries(known().checks)
        .filter(([, state]) => state !== 'unknown')
        .map(([check, state]) => ({ value: state === 'ok' ? 1 : 0, labels: { check } }));
    },
  );
}
