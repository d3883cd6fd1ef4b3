import type { AuditEvent } from '../../event/event.ts';
import { UsageError } from '../usage/command.ts';

/** The options by which events are chosen. */
export const filterOptions = {
  user: { type: 'string', value: '<text>', description: "Part of the actor's id." },
  tool: { type: 'string', value: '<name>', description: 'The tool, URI or prompt.' },
  task: { type: 'string', value: '<id>', description: 'The task of a call, in whichever trails it is.' },
  result: {
    type: 'string',
    value: '<list>',
    description: 'success, failure, denied, unknown; separated by commas.',
  },
  since: {
    type: 'string',
    value: '<time>',
    description: '2026-01-31T12:00:00Z (UTC unless it names a zone), or how long ago: 90s, 15m, 2h, 7d.',
  },
  until: { type: 'string', value: '<time>', description: 'The same; events before it.' },
} as const;

/** Chooses events. */
export interface Filter {
  /** Whether an event is chosen. */
  readonly matches: (event: AuditEvent) => boolean;
}

type FilterValues = { readonly [Name in keyof typeof filterOptions]?: string | undefined };

const RESULTS = ['success', 'failure', 'denied', 'unknown'];
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Makes a filter of the values of {@link filterOptions}.
 * @throws {UsageError} for a time or result that means nothing
 */
export function createFilter(values: FilterValues, now: number): Filter {
  const results = values.result?.split(',');
  for (const result of results ?? []) {
    if (!RESULTS.includes(result)) {
      throw new UsageError(`--result must be one of ${RESULTS.join(', ')}, got ${result}`);
    }
  }
  const sinceMs = values.since === undefined ? undefined : parseTime('--since', values.since, now);
  const untilMs = values.until === undefined ? undefined : parseTime('--until', values.until, now);
  const user = values.user?.toLowerCase();

  return {
    matches(event) {
      const time = Date.parse(event.time);
      return (
        (user === undefined || event.actor.id.toLowerCase().includes(user)) &&
        (values.tool === undefined || event.target === values.tool) &&
        (values.task === undefined || event.taskId === values.task) &&
        (results === undefined || (event.stage === 'outcome' && results.includes(event.result))) &&
        (sinceMs === undefined || time >= sinceMs) &&
        (untilMs === undefined || time < untilMs)
      );
    },
  };
}

/**
 * Either an ISO 8601 date or time, in UTC unless it names a zone, or how long ago: `90s`, `15m`, `2h`, `7d`.
 * @throws {UsageError} for anything else
 */
export function parseTime(option: string, text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/u.exec(text) ?? [];
  if (amount !== undefined && isUnit(unit)) {
    return now - Number(amount) * UNIT_MS[unit];
  }
  const time = isoTime(text);
  if (Number.isNaN(time)) {
    throw new UsageError(
      `${option} must be a time such as 2026-01-31T12:00:00Z or an age such as 15m, got ${text}`,
    );
  }
  return time;
}

const ISO_TIME =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<time>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(?<zone>Z|[+-]\d\d:\d\d)?)?$/iu;

/** `NaN` for what is no such time: `Date.parse` alone takes `2026-02-30`, and any words behind a date. */
function isoTime(text: string): number {
  const { date = '', time = '00:00', zone = 'Z' } = ISO_TIME.exec(text)?.groups ?? {};
  const day = Date.parse(date);
  const isDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(date);
  return isDay ? Date.parse(`${date}T${time}${zone.toUpperCase()}`) : Number.NaN;
}

function isUnit(text: string | undefined): text is keyof typeof UNIT_MS {
  return text !== undefined && Object.hasOwn(UNIT_MS, text);
}
