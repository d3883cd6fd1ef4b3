import { describe, expect, it } from 'vitest';

import { createInFlightShares } from './in-flight-shares.ts';

const { signal } = new AbortController();
const stranger = (source: string | undefined) => ({ isKnown: false, source });

/** Four places, two for each source. */
const shares = () => createInFlightShares({ total: 4, perSource: 2 });

/** What has come of a request so far. */
async function stateOf(request: Promise<(() => void) | undefined>) {
  const waits = new Promise<'waits'>((resolve) => void setImmediate(() => resolve('waits')));
  const leave = await Promise.race([request, waits]);
  return leave === 'waits' ? leave : leave === undefined ? 'turned away' : 'in';
}

describe('places in flight', () => {
  it('are given to a source up to its part, and to those without one as long as there are any', async () => {
    const { enter } = shares();
    const from = (source: string | undefined) => stateOf(enter(stranger(source), signal));
    expect([await from('a'), await from('a'), await from('a')]).toEqual(['in', 'in', 'turned away']);
    expect([await from(undefined), await from(undefined)]).toEqual(['in', 'in']);
    expect(await from(undefined)).toBe('turned away');
  });

  it('are waited for by a source that has less than its part, and given to who has fewest', async () => {
    const { enter } = shares();
    const [first, second] = await Promise.all(
      ['a', 'a', 'b', 'c'].map((source) => enter(stranger(source), signal)),
    );
    const more = enter(stranger('b'), signal);
    const newcomer = enter(stranger('d'), signal);
    expect([await stateOf(more), await stateOf(newcomer)]).toEqual(['waits', 'waits']);
    first?.();
    expect([await stateOf(more), await stateOf(newcomer)]).toEqual(['waits', 'in']);
    second?.();
    expect(await stateOf(more)).toBe('in');
    expect(await stateOf(enter(stranger('b'), signal))).toBe('turned away');
  });

  it('are waited for by a few, of whom the greediest makes room', async () => {
    const { enter } = shares();
    const taken = await Promise.all(['a', 'a', 'b', 'b'].map((source) => enter(stranger(source), signal)));
    const greedy = [enter(stranger('c'), signal), enter(stranger('c'), signal)];
    const others = ['d', 'e'].map((source) => enter(stranger(source), signal));
    const newcomer = enter(stranger('f'), signal);
    expect(await Promise.all(greedy.map(stateOf))).toEqual(['waits', 'turned away']);
    expect(await Promise.all([...others, newcomer].map(stateOf))).toEqual(['waits', 'waits', 'waits']);
    expect(await stateOf(enter(stranger('g'), signal))).toBe('turned away');
    taken.forEach((leave) => leave?.());
    expect(await Promise.all([...greedy, ...others, newcomer].map(stateOf))).toEqual([
      'in',
      'turned away',
      'in',
      'in',
      'in',
    ]);
  });

  it('are left to the next by one who no longer waits', async () => {
    const { enter } = shares();
    const taken = await Promise.all(['a', 'a', 'b', 'b'].map((source) => enter(stranger(source), signal)));
    const leaving = new AbortController();
    const gone = enter(stranger('c'), leaving.signal);
    const together = enter(stranger('d'), leaving.signal);
    const next = enter(stranger('e'), signal);
    const settled = Promise.allSettled([gone, together]);
    leaving.abort(new Error('gone'));
    taken[0]?.();
    expect((await settled).map(({ status }) => status)).not.toContain('fulfilled');
    expect(await stateOf(next)).toBe('in');
    taken.slice(1).forEach((leave) => leave?.());
    const free = ['f', 'g', 'h'].map((source) => enter(stranger(source), signal));
    expect(await Promise.all(free.map(stateOf))).toEqual(['in', 'in', 'in']);
  });

  it('of known callers are their own', async () => {
    const { enter } = shares();
    await Promise.all(Array.from({ length: 4 }, () => enter(stranger(undefined), signal)));
    const known = Array.from({ length: 5 }, () => enter({ isKnown: true, source: 'a' }, signal));
    expect(await Promise.all(known.map(stateOf))).toEqual(['in', 'in', 'in', 'in', 'turned away']);
  });
});
