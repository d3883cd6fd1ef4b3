import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { contenders } from '../bench/http/contenders.ts';
import { startIssuer, type Issuer } from '../bench/http/issuer.ts';
import { createTarget } from '../bench/http/load.ts';
import { missedTargets, toRows } from '../bench/http/report.ts';
import { checkAnswers } from '../bench/http/right-answers.ts';
import { startServer, type StartOptions } from '../bench/http/server-process.ts';
import { trendsOf } from '../bench/soak/trend.ts';
import { createVisitors, visits } from '../bench/soak/visits.ts';

// The benchmarks run on the Node that the project is developed on: their sources say `using`.
const runsSources = Number.parseInt(process.versions.node, 10) >= 24;

describe.runIf(runsSources)('a benchmark over HTTP', () => {
  let issuer: Issuer;
  let options: StartOptions;

  beforeAll(async () => {
    issuer = await startIssuer();
    options = { issuer: issuer.url, pinned: false, fromSources: true };
  });
  afterAll(() => issuer[Symbol.dispose]());

  it.each(contenders)('gets right answers from $name, and counts what they cost', async (contender) => {
    await using server = await startServer(contender.server, options);
    await checkAnswers(contender, server, issuer);
    const slice = await createTarget(contender, server, issuer).run('echo', {
      callers: 4,
      warmUpMs: 1,
      forMs: 1,
    });
    expect(slice.cpuMicrosPerCall).toBeGreaterThan(0);
    expect(slice.latenciesMs.length).toBeGreaterThanOrEqual(300);
  });

  it('finds nothing left of clients that err, vanish and abandon sessions', async () => {
    await using server = await startServer('ours-soak', options);
    const { visit } = createVisitors(server.url, issuer);
    const { sockets } = await server.ask('usage');
    for (const name of Object.keys(visits)) {
      await visit(name);
    }
    await expect.poll(async () => (await server.ask('usage')).sockets, { timeout: 15_000 }).toBe(sockets);
  });

  it('names each promise that a run did not keep, and none that it did not measure', () => {
    const slices = (cpuMicrosPerCall: number) => [
      { callsPerSecond: 1, cpuMicrosPerCall, latenciesMs: [1], shed: 0 },
      { callsPerSecond: 1, cpuMicrosPerCall, latenciesMs: [1], shed: 0 },
    ];
    const run = (everything: number) => {
      const rounds = new Map([
        ['production composition (express)', slices(1_000)],
        ['SDK 1.32 session', slices(200)],
        ['ours everything', slices(everything)],
      ]);
      return missedTargets(toRows('echo', 16, rounds, rounds), []);
    };
    expect(run(200)).toEqual([]);
    expect(run(250)).toEqual([
      'ours everything: CPU / production composition: 0.25, not 0.2',
      'ours everything: CPU / bare SDK 1.32 session: 1.25, not 1',
    ]);
  });
});

describe('a soak', () => {
  const rising = (heldMiB: (index: number) => number) =>
    trendsOf(
      Array.from({ length: 60 }, (_, index) => ({
        atSeconds: index * 10,
        heldMiB: heldMiB(index),
        rssMiB: 300,
        sockets: 2,
        descriptors: 30,
      })),
    )
      .filter(({ rise, allowed }) => rise > allowed)
      .map(({ quantity }) => quantity);

  it('tells what keeps rising from what was filled once or wavers', () => {
    expect(rising((index) => 50 + index / 5)).toEqual(['heldMiB']);
    expect(rising((index) => (index < 15 ? 30 + index : 45))).toEqual([]);
    expect(rising((index) => 50 + 10 * (index % 3))).toEqual([]);
    expect(rising((index) => (index === 59 ? 90 : 50))).toEqual([]);
  });
});
