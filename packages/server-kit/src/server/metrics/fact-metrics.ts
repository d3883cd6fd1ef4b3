import type { FactAge, FactAges } from '@mcp-parts/auth';
import type { Telemetry } from '@mcp-parts/observability';

/** Shows at each scrape how old everything is that decisions rest on, by its kind. */
export function observeFacts(telemetry: Pick<Telemetry, 'observeGauge'>, ages: FactAges): void {
  const seconds = (ms: (age: FactAge) => number) => () =>
    ages().map((age) => ({ value: ms(age) / 1000, labels: { fact: age.fact } }));

  telemetry.observeGauge(
    'mcp.auth.fact.age',
    'Time since this was last known to be so: the policy, the directory file, groups, keys, introspection.',
    seconds(({ ageMs }) => ageMs),
    's',
  );
  telemetry.observeGauge(
    'mcp.auth.fact.limit',
    'Age from which on nothing is decided on it.',
    seconds(({ limitMs }) => limitMs),
    's',
  );
  telemetry.observeGauge(
    'mcp.auth.fact.failing',
    'Time for which it could not be looked up again; 0 when nothing is wrong.',
    seconds(({ failingMs }) => failingMs),
    's',
  );
}
