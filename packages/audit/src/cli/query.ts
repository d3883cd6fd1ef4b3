import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import { eventColumns, eventRow } from './event-rows.ts';
import type { Filter } from './filter.ts';
import { readEvents } from './read-trail.ts';
import { writeTable, type CliContext } from './terminal.ts';

export interface QueryOptions {
  readonly trails: readonly string[];
  readonly filter: Filter;
  /** How many of the latest calls are shown; 0 shows all. */
  readonly limit: number;
  readonly json: boolean;
  readonly onDamage: () => void;
}

/** Shows calls, oldest first: the outcome of each, or its intent while it has none. */
export async function query(options: QueryOptions, { stdout }: CliContext): Promise<void> {
  const { filter, limit, json } = options;
  const calls: AuditEvent[] = [];
  const isFull = (kept: readonly AuditEvent[]): boolean => limit > 0 && kept.length > limit;
  for (const trail of options.trails) {
    const open = new Map<string, AuditEvent>();
    const ended: AuditEvent[] = [];
    const { onDamage } = options;
    for await (const { event } of readEvents(trail, { onDamage, sinceMs: filter.sinceMs })) {
      if (event.stage === 'outcome') {
        open.delete(event.intentId);
      }
      if (!filter.matches(event)) {
        continue;
      }
      if (event.stage === 'intent') {
        open.set(event.id, event);
      } else {
        ended.push(event);
      }
      if (isFull(ended)) {
        ended.shift();
      }
    }
    for (const event of [...ended, ...open.values()]) {
      calls.push(event);
    }
  }
  // Each trail has its own clock and sequence; between trails only the time says what came first.
  calls.sort((a, b) => a.time.localeCompare(b.time) || a.sequence - b.sequence);
  const shown = limit === 0 ? calls : calls.slice(-limit);
  if (json) {
    for (const event of shown) {
      stdout.write(`${safeJson(event)}\n`);
    }
  } else {
    writeTable(stdout, [eventColumns, ...shown.map(eventRow)]);
  }
}
