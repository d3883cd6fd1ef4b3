import type { AuditEvent } from '../../event/event.ts';
import type { Cell, Colour } from './terminal.ts';

/** The names of the columns of {@link eventRow}. */
export const eventColumns: readonly Cell[] = [
  'TIME',
  'RESULT',
  'SEQ',
  'ACTOR',
  'TARGET',
  'RESOURCE',
  'DETAIL',
].map((text) => ({ text, colour: 'dim' }));

/** Widths that keep the columns of events apart that come one by one. */
export const eventWidths: readonly number[] = [24, 7, 6, 30, 28, 28];

const COLOURS: Readonly<Record<string, Colour>> = {
  success: 'green',
  failure: 'red',
  denied: 'yellow',
  unknown: 'magenta',
};

/** One event as cells, the fields that are asked for first coming first. */
export function eventRow(event: AuditEvent): readonly Cell[] {
  const result = event.stage === 'outcome' ? event.result : 'open';
  return [
    { text: event.time, colour: 'dim' },
    { text: result, colour: COLOURS[result] },
    { text: String(event.sequence) },
    { text: event.actor.id },
    { text: event.action === 'tools/call' ? event.target : `${event.action} ${event.target}` },
    { text: event.resource ?? '-' },
    { text: detailOf(event) },
  ];
}

function detailOf(event: AuditEvent): string {
  if (event.stage === 'intent') {
    return event.correlationId;
  }
  const duration = event.durationMs === undefined ? undefined : `${Math.round(event.durationMs)} ms`;
  const count = event.refusals && `${event.refusals.count} refusals`;
  const place = event.isElsewhere && 'elsewhere';
  return [event.reason, place, count, duration].filter((part) => part !== undefined).join(', ') || '-';
}
