import { describe, expect, it, vi } from 'vitest';

import { createReadiness } from './readiness.ts';

describe('createReadiness', () => {
  it('is ready when every probe resolves', async () => {
    const ask = createReadiness(
      { a: () => Promise.resolve(), b: () => Promise.resolve() },
      vi.fn<(name: string, error: unknown) => void>(),
    );
    expect(await ask()).toEqual({ ready: true, checks: { a: 'ok', b: 'ok' } });
  });

  it('names the failed check and keeps the reason for the operator', async () => {
    const onFailure = vi.fn<(name: string, error: unknown) => void>();
    const reason = new Error('connect ECONNREFUSED 10.0.0.1:443');
    const ask = createReadiness({ a: () => Promise.resolve(), b: () => Promise.reject(reason) }, onFailure);
    expect(await ask()).toEqual({ ready: false, checks: { a: 'ok', b: 'failed' } });
    expect(onFailure).toHaveBeenCalledExactlyOnceWith('b', reason);
  });

  it('gives up on a probe that never answers and aborts its signal', async () => {
    let aborted = false;
    const ask = createReadiness(
      {
        slow: ({ signal }) =>
          new Promise(() => {
            signal.addEventListener('abort', () => {
              aborted = true;
            });
          }),
      },
      vi.fn<(name: string, error: unknown) => void>(),
      5,
    );
    expect(await ask()).toEqual({ ready: false, checks: { slow: 'failed' } });
    expect(aborted).toBe(true);
  });

  it('asks once for callers that come at the same time, and again afterwards', async () => {
    const probe = vi.fn<() => Promise<void>>(() => Promise.resolve());
    const ask = createReadiness({ a: probe }, vi.fn<(name: string, error: unknown) => void>());
    await Promise.all([ask(), ask(), ask()]);
    expect(probe).toHaveBeenCalledTimes(1);
    await ask();
    expect(probe).toHaveBeenCalledTimes(2);
  });
});
