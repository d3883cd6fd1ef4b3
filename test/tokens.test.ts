import { expect, it } from 'vitest';

import { measureJourney } from '../bench/tokens/journey.ts';

// The benchmarks run on the Node that the project is developed on: their sources say `using`.
const runsSources = Number.parseInt(process.versions.node, 10) >= 24;

it.runIf(runsSources)(
  'costs a model at most 30 % of what the backends say, in either form, and a short list',
  async () => {
    const { list, steps } = await measureJourney();
    const raw = steps.reduce((sum, step) => sum + step.raw, 0);
    const share = (form: 'text' | 'structured') => steps.reduce((sum, step) => sum + step[form], 0) / raw;

    expect(share('text')).toBeLessThanOrEqual(0.3);
    expect(share('structured')).toBeLessThanOrEqual(0.3);
    expect(list).toBeLessThanOrEqual(1_500);
  },
);
