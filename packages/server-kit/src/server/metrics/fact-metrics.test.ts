import { createTelemetry } from '@mcp-parts/observability';
import { expect, it } from 'vitest';

import { observeFacts } from './fact-metrics.ts';

it('shows each fact with its age, its limit and how long it fails, in seconds', async () => {
  await using telemetry = createTelemetry({ serviceName: 'test', serviceVersion: '1' });
  observeFacts(telemetry, () => [
    { fact: 'policy', ageMs: 1_500, limitMs: 3_600_000, failingMs: 500 },
    { fact: 'keys', ageMs: 60_000, limitMs: 3_600_000, failingMs: 0 },
  ]);
  const lines = (await telemetry.prometheus()).split('\n');
  const of = (name: string) =>
    lines.flatMap((line) => {
      const [, fact, value] = new RegExp(`^${name}\\{fact="(\\w+)"[^}]*\\} (\\S+)$`, 'u').exec(line) ?? [];
      return fact === undefined ? [] : [[fact, Number(value)]];
    });
  expect(of('mcp_auth_fact_age_seconds')).toEqual([
    ['policy', 1.5],
    ['keys', 60],
  ]);
  expect(of('mcp_auth_fact_limit_seconds')).toEqual([
    ['policy', 3_600],
    ['keys', 3_600],
  ]);
  expect(of('mcp_auth_fact_failing_seconds')).toEqual([
    ['policy', 0.5],
    ['keys', 0],
  ]);
});
