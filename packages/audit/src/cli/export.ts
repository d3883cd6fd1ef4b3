import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { safeJson } from '../event/safe-json.ts';
import { toEcs } from '../mappers/ecs.ts';
import { toOcsf } from '../mappers/ocsf.ts';
import { createFilter, filterOptions, type Filter } from './trail/filter.ts';
import { createDamageCount, findTrails, readEvents, trailOptions } from './trail/read-trail.ts';
import { required, UsageError, type CliContext, type Command } from './usage/command.ts';

/** How an event is written, by the name of the format. */
const formats = { jsonl: (event: object) => event, ocsf: toOcsf, ecs: toEcs } as const;

const options = {
  directory: trailOptions.directory,
  format: {
    type: 'string',
    value: '<format>',
    default: 'jsonl',
    description: `${Object.keys(formats).join(', ')}.`,
  },
  ...filterOptions,
} as const;

/** Writes a trail for another system. */
export const exportCommand: Command = {
  summary: 'Writes every event, intents included, as one line of JSON; one trail after the other.',
  options,
  found: 'damaged records were left out, or a trail cannot be read',
  async run(args, context) {
    const { values } = parseArgs({ args, options });
    const { format } = values;
    if (!isFormat(format)) {
      throw new UsageError(`--format must be one of ${Object.keys(formats).join(', ')}, got ${format}`);
    }
    const damage = createDamageCount(context);
    const filter = createFilter(values, context.now());
    const trails = await findTrails(required('--directory', values.directory));
    await exportEvents({ trails, filter, format, onDamage: damage.add }, context);
    return damage.exitStatus();
  },
};

interface ExportOptions {
  readonly trails: readonly string[];
  readonly filter: Filter;
  readonly format: keyof typeof formats;
  readonly onDamage: () => void;
}

async function exportEvents(options: ExportOptions, { stdout, signal }: CliContext): Promise<void> {
  const { trails, filter, format, onDamage } = options;
  const map = formats[format];
  for (const trail of trails) {
    for await (const { event } of readEvents(trail, { onDamage })) {
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

function isFormat(text: string): text is keyof typeof formats {
  return Object.hasOwn(formats, text);
}
