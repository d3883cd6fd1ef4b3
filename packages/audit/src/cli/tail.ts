import { watch } from 'node:fs';
import { parseArgs } from 'node:util';

import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import { segmentNumbers } from '../segments/segment-header.ts';
import { eventColumns, eventRow, eventWidths } from './output/event-rows.ts';
import { writeTable } from './output/terminal.ts';
import { createFilter, filterOptions, type Filter } from './trail/filter.ts';
import { createDamageCount, findTrail, readEvents, trailOptions, type Place } from './trail/read-trail.ts';
import { wholeNumber, type CliContext, type Command } from './usage/command.ts';

const options = {
  ...trailOptions,
  lines: {
    type: 'string',
    value: '<n>',
    default: '20',
    description: 'How many of the latest events are shown first.',
  },
  follow: {
    type: 'boolean',
    short: 'f',
    description: 'Shows every event that is added, until it is stopped.',
  },
  ...filterOptions,
} as const;

/** Shows what happens now. */
export const tailCommand: Command = {
  summary: 'Shows the latest events of a trail.',
  options,
  found: 'damaged records were left out, or the trail cannot be read',
  async run(args, context) {
    const { values } = parseArgs({ args, options });
    const damage = createDamageCount(context);
    await tail(
      {
        trail: await findTrail(values.directory),
        filter: createFilter(values, context.now()),
        lines: wholeNumber('--lines', values.lines),
        follow: values.follow ?? false,
        json: values.json ?? false,
        onDamage: damage.add,
      },
      context,
    );
    return damage.exitStatus();
  },
};

interface TailOptions {
  readonly trail: string;
  readonly filter: Filter;
  /** How many of the latest events are shown first. */
  readonly lines: number;
  readonly follow: boolean;
  readonly json: boolean;
  readonly onDamage: () => void;
}

/** Shows the latest events of a trail and, when told to follow, every one that is added. */
async function tail(options: TailOptions, context: CliContext): Promise<void> {
  const { trail, filter, lines, follow, json, onDamage } = options;
  const { stdout, signal } = context;

  function show(events: readonly AuditEvent[]): void {
    if (json) {
      for (const event of events) {
        stdout.write(`${safeJson(event)}\n`);
      }
    } else {
      writeTable(stdout, events.map(eventRow), eventWidths);
    }
  }

  // Before the first look, so that nothing is missed between it and the watch.
  using changes = follow ? watchSegments(trail, signal) : undefined;
  const latest: AuditEvent[] = [];
  let place: Place = { segment: 0, offset: 0 };
  for await (const { event, next } of readEvents(trail, { onDamage })) {
    place = next;
    if (filter.matches(event)) {
      latest.push(event);
    }
    if (latest.length > lines) {
      latest.shift();
    }
  }
  if (!json) {
    writeTable(stdout, [eventColumns], eventWidths);
  }
  show(latest);
  if (changes === undefined) {
    return;
  }
  while (await changes.next()) {
    const added: AuditEvent[] = [];
    for await (const { event, next } of readEvents(trail, { onDamage, from: place })) {
      place = next;
      if (filter.matches(event)) {
        added.push(event);
      }
    }
    show(added);
  }
}

/** Tells when segments changed since it was last asked; `next` resolves with `false` once the signal aborts. */
function watchSegments(
  directory: string,
  signal: AbortSignal,
): Disposable & { readonly next: () => Promise<boolean> } {
  let hasChanged = false;
  let wake = (): void => {};
  const watcher = watch(directory, (_event, filename) => {
    if (filename !== null && segmentNumbers([filename]).length === 0) {
      return;
    }
    hasChanged = true;
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  return {
    async next() {
      if (!hasChanged && !signal.aborted) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      hasChanged = false;
      return !signal.aborted;
    },
    [Symbol.dispose]() {
      signal.removeEventListener('abort', onAbort);
      watcher.close();
    },
  };
}
