import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import type { AuditSink } from '../delivery/sink.ts';
import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';
import { createCollectorSink } from '../sinks/collector-sink.ts';
import { createDamageCount, findTrail, readEvents, trailOptions } from './trail/read-trail.ts';
import {
  errorText,
  required,
  UsageError,
  wholeNumber,
  type CliContext,
  type Command,
} from './usage/command.ts';

const options = {
  ...trailOptions,
  to: { type: 'string', value: '<url>', description: 'The collector.' },
  from: { type: 'string', value: '<sequence>', description: 'The first event that is sent.' },
  'until-sequence': {
    type: 'string',
    value: '<sequence>',
    description: 'The last one. Default: the last of the trail.',
  },
  'token-file': { type: 'string', value: '<path>', description: 'A file with the bearer token.' },
} as const;

/** Gives a collector what it lost. */
export const replayCommand: Command = {
  summary: 'Sends stored events to a collector again, in order; it drops those that it has.',
  options,
  found: 'the collector did not take all of them, or damaged records were left out',
  async run(args, context) {
    const { values } = parseArgs({ args, options });
    const { 'token-file': tokenFile, 'until-sequence': until } = values;
    const token =
      tokenFile === undefined ? undefined : async () => (await readFile(tokenFile, 'utf8')).trim();
    const sink = collectorAt(required('--to', values.to), token);
    const damage = createDamageCount(context);
    const { sent, failure } = await replay(
      {
        trail: await findTrail(values.directory),
        sink,
        from: wholeNumber('--from', required('--from', values.from)),
        to: until === undefined ? Infinity : wholeNumber('--until-sequence', until),
        onDamage: damage.add,
      },
      context,
    );
    const { stdout, stderr } = context;
    if (values.json === true) {
      stdout.write(`${safeJson({ sent, failedFrom: failure?.from })}\n`);
    } else {
      stdout.write(`${sent} events sent\n`);
    }
    if (failure === undefined) {
      return damage.exitStatus();
    }
    const { error, from } = failure;
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(errorText(`${reason}. Go on with --from ${from}.`, false));
    return 1;
  },
};

function collectorAt(url: string, token: (() => Promise<string>) | undefined): AuditSink {
  try {
    return createCollectorSink({ url, token });
  } catch (error) {
    throw new UsageError(`--to: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface ReplayOptions {
  readonly trail: string;
  readonly sink: AuditSink;
  /** The first and the last event that is sent. */
  readonly from: number;
  readonly to: number;
  readonly onDamage: () => void;
}

const BATCH_EVENTS = 100;

/** Returns how many were sent, and the sequence that failed. The cursors of the server stay as they are. */
async function replay(
  options: ReplayOptions,
  { signal }: CliContext,
): Promise<{
  readonly sent: number;
  readonly failure?: { readonly from: number; readonly error: unknown } | undefined;
}> {
  const { trail, sink, from, to, onDamage } = options;
  let batch: AuditEvent[] = [];
  let sent = 0;

  async function send(): Promise<void> {
    const [first, last] = [batch[0], batch.at(-1)];
    if (first === undefined || last === undefined) {
      return;
    }
    const idempotencyKey = `${first.writerId}:${first.sequence}-${last.sequence}`;
    await sink.deliver(batch, { signal, idempotencyKey });
    sent += batch.length;
    batch = [];
  }

  try {
    for await (const { event } of readEvents(trail, { onDamage })) {
      if (event.sequence < from || event.sequence > to) {
        continue;
      }
      batch.push(event);
      if (batch.length === BATCH_EVENTS) {
        await send();
      }
    }
    await send();
    return { sent };
  } catch (error) {
    return { sent, failure: { from: batch[0]?.sequence ?? from, error } };
  }
}
