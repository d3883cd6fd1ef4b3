import type { Writable } from 'node:stream';

import { checkSinkName, type AuditSink } from '../delivery/sink.ts';
import { AuditError } from '../errors.ts';
import { safeJson } from '../event/safe-json.ts';
import { untilAborted } from '../until-aborted.ts';

/** Which stream events are written to. */
export interface StreamSinkOptions {
  /** Where the lines go. @default process.stderr, because stdout belongs to the protocol on stdio */
  readonly stream?: Writable | undefined;
  /** Names the cursor file. @default 'stderr' */
  readonly name?: string | undefined;
}

/** @throws {TypeError} for an option that is none of its kind */
function resolveStreamSinkOptions(options: StreamSinkOptions): {
  readonly stream: Writable;
  readonly name: string;
} {
  const { stream = process.stderr, name = 'stderr' } = options;
  if (typeof stream.write !== 'function') {
    throw new TypeError(`stream must be a writable stream, got ${typeof stream}`);
  }
  checkSinkName('name', name);
  return { stream, name };
}

/**
 * Writes events as JSON lines `{"auditEvent":{...}}` and anchors as `{"auditAnchor":{...}}`, which tell them from log lines on the same stream. For
 * platforms that collect the output of a container. `deliver` resolves when the stream took the lines, which is
 * no promise that anybody stored them, and rejects with AuditError `delivery_failed`.
 * @throws {TypeError} for an option that is none of its kind
 */
export function createStreamSink(options: StreamSinkOptions = {}): AuditSink {
  const { stream, name } = resolveStreamSinkOptions(options);
  return {
    name,
    async deliver(events, { signal }) {
      signal.throwIfAborted();
      const lines = events.map((auditEvent) => `${safeJson({ auditEvent })}\n`).join('');
      await untilAborted(write(stream, lines), signal);
    },
    async keepAnchor(auditAnchor, { signal }) {
      signal.throwIfAborted();
      await untilAborted(write(stream, `${safeJson({ auditAnchor })}\n`), signal);
    },
  };
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // A stream that failed once calls nobody back any more.
    if (stream.errored !== null || stream.destroyed) {
      reject(new AuditError('delivery_failed', 'The stream has failed', { cause: stream.errored }));
      return;
    }
    // A stream tells its callback and then everybody; unheard, the second would end the process.
    const onError = () => {};
    stream.on('error', onError);
    stream.write(text, (cause) => {
      setImmediate(() => stream.off('error', onError));
      if (cause) {
        reject(new AuditError('delivery_failed', 'The stream could not be written', { cause }));
      } else {
        resolve();
      }
    });
  });
}
