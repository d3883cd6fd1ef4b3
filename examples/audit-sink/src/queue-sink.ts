import type { AuditSink } from '@mcp-parts/audit';

/** A queue of yours. It may be told the same message twice, and knows it by its key. */
export interface Queue {
  readonly send: (message: { key: string; body: string }, signal: AbortSignal) => Promise<void>;
}

/** Ships audit events to a queue, in order. A batch that fails is sent again under the same key until it arrives. */
export function createQueueSink(queue: Queue): AuditSink {
  return {
    name: 'queue',
    async deliver(events, { idempotencyKey, signal }) {
      const body = events.map((event) => JSON.stringify(event)).join('\n');
      await queue.send({ key: idempotencyKey, body }, signal);
    },
  };
}
