import type { AuditSink } from '../delivery/sink.ts';
import type { AuditEvent } from '../event/event.ts';
import { readEvents } from './read-trail.ts';
import type { CliContext } from './terminal.ts';

export interface ReplayOptions {
  readonly trail: string;
  readonly sink: AuditSink;
  /** The first and the last event that is sent. */
  readonly from: number;
  readonly to: number;
  readonly onDamage: () => void;
}

const BATCH_EVENTS = 100;

/**
 * Sends stored events to a collector again, in order; it drops those whose id it has. Returns how many were sent,
 * and the sequence that failed. The cursors of the server stay as they are.
 */
export async function replay(
  options: ReplayOptions,
  { signal }: CliContext,
): Promise<{ sent: number; failure?: { from: number; error: unknown } }> {
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
