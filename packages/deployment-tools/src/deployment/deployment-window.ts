import { z } from 'zod';

import type { DeploymentTarget } from './schemas.ts';

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 09:30');

/** When an environment takes deployments: always, or on some days between two times of a time zone's own clock. */
export const deploymentWindowSchema = z.discriminatedUnion('always', [
  z.object({ always: z.literal(true) }),
  z
    .object({
      always: z.literal(false),
      timeZone: z.string().refine(isTimeZone, 'must be an IANA time zone'),
      /** The days on which it opens. */
      days: z.array(z.enum(days)),
      opensAt: clockTime,
      /** The first minute that is closed again; before `opensAt` it is on the next day. */
      closesAt: clockTime,
    })
    .refine((window) => window.opensAt !== window.closesAt, 'opensAt and closesAt must differ'),
]);

/** When an environment takes deployments. */
export type DeploymentWindow = z.output<typeof deploymentWindowSchema>;

/** What holds where the configuration service has no window of its own. */
export const defaultDeploymentWindows: Readonly<Record<DeploymentTarget['environment'], DeploymentWindow>> = {
  development: { always: true },
  staging: { always: true },
  production: {
    always: false,
    timeZone: 'America/New_York',
    days: ['Mon', 'Tue', 'Wed', 'Thu'],
    opensAt: '10:00',
    closesAt: '16:00',
  },
};

/** Whether a window is open, and what its clock shows. `nextOpening` is absent when it never opens. */
export type WindowState =
  | { readonly open: true; readonly always: true }
  | { readonly open: true; readonly always: false; readonly localTime: string }
  | { readonly open: false; readonly localTime: string; readonly nextOpening: string | undefined };

/**
 * Compares an instant (in milliseconds since the Unix epoch) with a window on the clock of the window's time zone, so
 * that daylight saving moves the instants of opening and closing, and never the times on the wall.
 */
export function windowState(window: DeploymentWindow, at: number): WindowState {
  if (window.always) {
    return { open: true, always: true };
  }
  const now = wallClock(at, window.timeZone);
  const opens = minutesOf(window.opensAt);
  const closes = minutesOf(window.closesAt);
  const opensOn = (date: number) => window.days.includes(weekday(date));

  const isOpen =
    opens < closes
      ? opensOn(now.date) && opens <= now.minutes && now.minutes < closes
      : (opensOn(now.date) && opens <= now.minutes) || (opensOn(now.date - DAY_MS) && now.minutes < closes);
  const localTime = wallTime(now.date, timeOf(now.minutes), window.timeZone);
  if (isOpen) {
    return { open: true, always: false, localTime };
  }

  // Today's opening may lie ahead; a week later every day has been looked at.
  const ahead = Array.from({ length: 8 }, (_, index) => now.date + index * DAY_MS);
  const next = ahead.find((date) => opensOn(date) && (date > now.date || now.minutes < opens));
  return {
    open: false,
    localTime,
    nextOpening: next === undefined ? undefined : wallTime(next, window.opensAt, window.timeZone),
  };
}

const DAY_MS = 86_400_000;

/** Date (midnight as if in UTC, for counting days) and minutes since midnight, as a clock in the zone shows them. */
function wallClock(at: number, timeZone: string): { readonly date: number; readonly minutes: number } {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    // h23: with `hour12: false`, midnight is "24" in some engines.
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN } = parts;
  return { date: Date.UTC(year, month - 1, day), minutes: hour * 60 + minute };
}

function weekday(date: number): (typeof days)[number] {
  // The epoch was a Thursday; the double remainder keeps days before it positive.
  const index = (((date / DAY_MS + 3) % 7) + 7) % 7;
  const name = days[index];
  if (name === undefined) {
    throw new RangeError(`not a date: ${date}`);
  }
  return name;
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function timeOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

/** `Mon 2026-03-09 10:00 America/New_York` */
function wallTime(date: number, time: string, timeZone: string): string {
  return `${weekday(date)} ${new Date(date).toISOString().slice(0, 10)} ${time} ${timeZone}`;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    // ECMA-402 gives no other way to ask: an unknown zone is a RangeError.
    return false;
  }
}
