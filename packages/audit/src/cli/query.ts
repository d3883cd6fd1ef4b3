import { parseArgs } from 'node:util';

import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import { eventColumns, eventRow } from './output/event-rows.ts';
import { writeTable } from './output/terminal.ts';
import { createFilter, filterOptions, type Filter } from './trail/filter.ts';
import { createDamageCount, findTrails, readEvents, trailOptions } from './trail/read-trail.ts';
import { required, wholeNumber, type CliContext, type Command } from './usage/command.ts';

const options = {
  ...trailOptions,
  limit: {
    type: 'string',
    value: '<n>',
    default: '100',
    description: 'How many of the latest calls are shown; 0 shows all.',
  },
  ...filterOptions,
} as const;

/** Answers who did what. */
export const queryCommand: Command = {
  summary: 'Shows calls, oldest first: the outcome of each, or its intent while it has none.',
  options,
  found: 'damaged records were left out, or a trail cannot be read',
  async run(args, context) {
    const { values } = parseArgs({ args, options });
    const damage = createDamageCount(context);
    const filter = createFilter(values, context.now());
    const limit = wholeNumber('--limit', values.limit);
    const trails = await findTrails(required('--directory', values.directory));
    await query({ trails, filter, limit, json: values.json ?? false, onDamage: damage.add }, context);
    return damage.exitStatus();
  },
};

interface QueryOptions {
  readonly trails: readonly string[];
  readonly filter: Filter;
  /** How many of the latest calls are shown; 0 shows all. */
  readonly limit: number;
  readonly json: boolean;
  readonly onDamage: () => void;
}

async function query(options: QueryOptions, { stdout }: CliContext): Promise<void> {
  const { filter, limit, json } = options;
  const calls: AuditEvent[] = [];
  const isFull = (kept: readonly AuditEvent[]): boolean => limit > 0 && kept.length > limit;
  for (const trail of options.trails) {
    const open = new Map<string, AuditEvent>();
    const ended: AuditEvent[] = [];
    const { onDamage } = options;
    for await (const { event } of readEvents(trail, { onDamage })) {
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
