import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  defaultDeploymentWindows,
  deploymentWindowSchema,
  windowState,
  type DeploymentWindow,
} from './deployment-window.ts';

const production = defaultDeploymentWindows.production;

function isOpen(window: DeploymentWindow, instant: string): boolean {
  return windowState(window, Date.parse(instant)).open;
}

function timed(timeZone: string, days: string[], opensAt: string, closesAt: string): DeploymentWindow {
  return deploymentWindowSchema.parse({ always: false, timeZone, days, opensAt, closesAt });
}

describe('the default production window', () => {
  it.each([
    ['Thursday before daylight saving, 10:00 EST', '2026-03-05T15:00:00Z', true],
    ['the last millisecond before it', '2026-03-05T14:59:59.999Z', false],
    ['Monday after daylight saving began, 10:00 EDT', '2026-03-09T14:00:00Z', true],
    ['a minute before it', '2026-03-09T13:59:00Z', false],
    ['the last millisecond of the day, 15:59 EDT', '2026-03-09T19:59:59.999Z', true],
    ['16:00 EDT sharp', '2026-03-09T20:00:00Z', false],
    ['Thursday before daylight saving ends, 10:00 EDT', '2026-10-29T14:00:00Z', true],
    ['Monday after it ended, 09:00 EST', '2026-11-02T14:00:00Z', false],
    ['Monday after it ended, 10:00 EST', '2026-11-02T15:00:00Z', true],
    ['Friday noon', '2026-03-06T17:00:00Z', false],
    ['Sunday noon', '2026-03-08T16:00:00Z', false],
    ['midnight in New York between two open days', '2026-03-10T04:00:00Z', false],
  ])('%s', (_name, instant, expected) => {
    expect(isOpen(production, instant)).toBe(expected);
  });

  it('names the next opening by the clock of the window, across a weekend and a change of the clocks', () => {
    expect(windowState(production, Date.parse('2026-03-06T17:00:00Z'))).toEqual({
      open: false,
      localTime: 'Fri 2026-03-06 12:00 America/New_York',
      nextOpening: 'Mon 2026-03-09 10:00 America/New_York',
    });
  });

  it('names today while the opening lies ahead, and tomorrow once it has closed', () => {
    expect(windowState(production, Date.parse('2026-03-09T12:00:00Z'))).toMatchObject({
      nextOpening: 'Mon 2026-03-09 10:00 America/New_York',
    });
    expect(windowState(production, Date.parse('2026-03-09T21:00:00Z'))).toMatchObject({
      nextOpening: 'Tue 2026-03-10 10:00 America/New_York',
    });
  });
});

describe('windowState', () => {
  it('opens late when the opening falls into the hour that daylight saving skips', () => {
    const window = timed('America/New_York', ['Sun'], '02:30', '03:30');
    expect(isOpen(window, '2026-03-08T06:59:00Z')).toBe(false);
    expect(isOpen(window, '2026-03-08T07:00:00Z')).toBe(true);
    expect(isOpen(window, '2026-03-08T07:30:00Z')).toBe(false);
  });

  it('opens twice when it lies in the hour that the end of daylight saving repeats', () => {
    const window = timed('America/New_York', ['Sun'], '01:15', '01:45');
    const openAt = ['05:15', '05:45', '06:00', '06:15', '06:45'].map((time) =>
      isOpen(window, `2026-11-01T${time}:00Z`),
    );
    expect(openAt).toEqual([true, false, false, true, false]);
  });

  it('runs over midnight into a day that is not listed', () => {
    const window = timed('Europe/Berlin', ['Fri'], '22:00', '02:00');
    expect(isOpen(window, '2026-01-09T21:00:00Z')).toBe(true);
    expect(isOpen(window, '2026-01-10T00:59:00Z')).toBe(true);
    expect(isOpen(window, '2026-01-10T01:00:00Z')).toBe(false);
    expect(isOpen(window, '2026-01-09T00:30:00Z')).toBe(false);
  });

  it('is always open where there is no limit', () => {
    expect(windowState({ always: true }, 0)).toEqual({ open: true, always: true });
  });

  it('knows no next opening when no day is open', () => {
    const state = windowState(timed('UTC', [], '10:00', '16:00'), 0);
    expect(state).toEqual({ open: false, localTime: 'Thu 1970-01-01 00:00 UTC', nextOpening: undefined });
  });

  it('agrees with the wall clock of the zone at every instant', () => {
    fc.assert(
      fc.property(instants, windows, (at, window) => {
        expect(windowState(window, at).open).toBe(isOpenByWallClock(window, at));
      }),
    );
  });

  it('opens at the next opening and not before', () => {
    fc.assert(
      fc.property(instants, windows, fc.double({ min: 0, max: 1, noNaN: true }), (at, window, fraction) => {
        const utc = { ...window, timeZone: 'UTC' };
        const state = windowState(utc, at);
        if (state.open || state.nextOpening === undefined) {
          return;
        }
        const next = Date.parse(`${state.nextOpening.slice(4, 14)}T${state.nextOpening.slice(15, 20)}:00Z`);
        expect(next).toBeGreaterThan(at);
        expect(windowState(utc, next).open).toBe(true);
        expect(windowState(utc, Math.floor(at + (next - 1 - at) * fraction)).open).toBe(false);
      }),
    );
  });
});

describe('deploymentWindowSchema', () => {
  const window = {
    always: false,
    timeZone: 'Europe/Berlin',
    days: ['Mon'],
    opensAt: '09:00',
    closesAt: '17:00',
  };

  it.each([
    ['an unknown time zone', { timeZone: 'Mars/Olympus' }],
    ['an unknown day', { days: ['Monday'] }],
    ['a time that no clock shows', { closesAt: '24:00' }],
    ['a window without length', { closesAt: '09:00' }],
  ])('refuses %s', (_name, change) => {
    expect(deploymentWindowSchema.safeParse({ ...window, ...change }).success).toBe(false);
    expect(deploymentWindowSchema.safeParse(window).success).toBe(true);
  });
});

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'UTC',
];

const instants = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2060, 0) });

const clockTimes = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);

const windows = fc
  .record({
    always: fc.constant(false as const),
    timeZone: fc.constantFrom(...zones),
    days: fc.uniqueArray(fc.constantFrom(...weekdays)),
    opensAt: clockTimes,
    closesAt: clockTimes,
  })
  .filter((window) => window.opensAt !== window.closesAt);

/** The rule on strings: what a person reads off a calendar and a clock. */
function isOpenByWallClock(
  window: Exclude<DeploymentWindow, { readonly always: true }>,
  at: number,
): boolean {
  // Swedish writes dates as ISO 8601.
  const [date = '', time = ''] = new Date(at)
    .toLocaleString('sv-SE', { timeZone: window.timeZone })
    .split(' ');
  const minute = time.slice(0, 5);
  const today = new Date(`${date}T00:00:00Z`).getUTCDay();
  const listed = (day: number) => window.days.some((name) => name === weekdays[(day + 7) % 7]);
  if (window.opensAt < window.closesAt) {
    return listed(today) && window.opensAt <= minute && minute < window.closesAt;
  }
  return (listed(today) && window.opensAt <= minute) || (listed(today - 1) && minute < window.closesAt);
}
