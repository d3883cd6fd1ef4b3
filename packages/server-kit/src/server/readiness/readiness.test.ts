import { describe, expect, it, vi } from 'vitest';

import { createReadiness, type Probe, type ReadinessOptions } from './readiness.ts';

const well: Probe = () => Promise.resolve();
const ill: Probe = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1:443'));

function readinessOf(options: Partial<ReadinessOptions>) {
  const onFailure = vi.fn<ReadinessOptions['onFailure']>();
  return { onFailure, ...createReadiness({ own: {}, shared: {}, required: [], onFailure, ...options }) };
}

describe('createReadiness', () => {
  it('is ready when all is well', async () => {
    const { ask } = readinessOf({ own: { audit: () => undefined }, shared: { a: well, b: well } });
    expect(await ask()).toEqual({ state: 'ready', checks: { a: 'ok', b: 'ok', audit: 'ok' } });
  });

  it('is degraded, and still takes calls, without what all replicas share', async () => {
    const { ask, onFailure } = readinessOf({ shared: { a: well, b: ill } });
    expect(await ask()).toEqual({ state: 'degraded', checks: { a: 'ok', b: 'failed' } });
    expect(onFailure).toHaveBeenCalledExactlyOnceWith('b', expect.any(Error));
  });

  it('is not ready without what is its own, or what it was told to require', async () => {
    const audit = () => {
      throw new Error('ENOSPC');
    };
    expect(await readinessOf({ own: { audit } }).ask()).toEqual({
      state: 'not_ready',
      checks: { audit: 'failed' },
    });
    const { ask } = readinessOf({ shared: { a: ill }, required: ['a'] });
    expect(await ask()).toEqual({ state: 'not_ready', checks: { a: 'failed' } });
  });

  it('refuses to require what it does not probe', () => {
    expect(() => readinessOf({ shared: { a: well }, required: ['b'] })).toThrow(
      'readinessRequires: must name a, got b',
    );
  });

  it('answers while a probe hangs, gives up on it and aborts its signal', async () => {
    let hanging: AbortSignal | undefined;
    const { ask, known } = readinessOf({
      shared: {
        slow: ({ signal }) => {
          hanging = signal;
          return new Promise(() => undefined);
        },
      },
      probeTimeoutMs: 20,
      patienceMs: 1,
    });
    expect(await ask()).toEqual({ state: 'ready', checks: { slow: 'unknown' } });
    await vi.waitFor(() => expect(known()).toEqual({ state: 'degraded', checks: { slow: 'failed' } }));
    expect(hanging?.aborted).toBe(true);
  });

  it('probes once for questions that come at the same time, and again afterwards', async () => {
    const probe = vi.fn<Probe>(well);
    const { ask } = readinessOf({ shared: { a: probe } });
    await Promise.all([ask(), ask(), ask()]);
    expect(probe).toHaveBeenCalledTimes(1);
    await ask();
    expect(probe).toHaveBeenCalledTimes(2);
  });
});
