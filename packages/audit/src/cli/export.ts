import { once } from 'node:events';

import { safeJson } from '../event/safe-json.ts';
import { toEcs } from '../mappers/ecs.ts';
import { toOcsf } from '../mappers/ocsf.ts';
import type { Filter } from './filter.ts';
import { readEvents } from './read-trail.ts';
import type { CliContext } from './terminal.ts';

/** How an event is written, by the name of the format. */
export const exportFormats = { jsonl: (event: object) => event, ocsf: toOcsf, ecs: toEcs } as const;

export interface ExportOptions {
  readonly trails: readonly string[];
  readonly filter: Filter;
  readonly format: keyof typeof exportFormats;
  readonly onDamage: () => void;
}

/** Writes every event, intents included, as one line of JSON; one trail after the other. */
export async function exportEvents(options: ExportOptions, { stdout, signal }: CliContext): Promise<void> {
  const { trails, filter, format, onDamage } = options;
  const map = exportFormats[format];
  for (const trail of trails) {
    for await (const { event } of readEvents(trail, { onDamage, sinceMs: filter.sinceMs })) {
      if (signal.aborted) {
        return;
      }
      if (!filter.matches(event)) {
        continue;
      }
      if (!stdout.write(`${safeJson(map(event))}\n`)) {
        await once(stdout, 'drain', { signal });
      }
    }
  }
}
