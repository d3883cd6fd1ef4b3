import { firstRecord, type StoredRecord } from '../chain/record.ts';
import { withFile, type AuditFileSystem } from '../disk/file-system.ts';
import type { AuditEvent, AuditIntentEvent } from '../event/event.ts';
import { segmentPath, type OpenIntent } from './segment-header.ts';

/** The facts that a start needs about every event it reads. */
export interface EventHead {
  readonly id: string;
  /** In milliseconds since the Unix epoch. */
  readonly time: number;
  /** The intent that an outcome closes; `undefined` for an intent. */
  readonly intentId: string | undefined;
}

const UUID = '([0-9a-f-]{36})';
const HEAD = new RegExp(
  `^\\{"schemaVersion":1,"sequence":\\d+,"id":"${UUID}","time":"([^"]+)","stage":"(?:intent|outcome","intentId":"${UUID})"`,
);
const HEAD_MAX_BYTES = 256;
const SHORT_LINE_BYTES = 4096;
const MAX_LINE_BYTES = 1024 * 1024;

/** Reads the event in a record whose hash was checked. */
export function parseEvent(record: StoredRecord): AuditEvent {
  // The hash shows that these are the bytes this package wrote; a newer version may have added fields.
  return JSON.parse(record.payload.toString('utf8')) as AuditEvent;
}

/** Reads the head of an event, which is several times as fast as to parse all of it. */
export function parseEventHead(record: StoredRecord): EventHead {
  const matched = HEAD.exec(record.payload.toString('latin1', 0, HEAD_MAX_BYTES));
  if (matched?.[1] !== undefined) {
    return { id: matched[1], time: Date.parse(matched[2] ?? ''), intentId: matched[3] };
  }
  const event = parseEvent(record);
  const intentId = event.stage === 'outcome' ? event.intentId : undefined;
  return { id: event.id, time: Date.parse(event.time), intentId };
}

/** Reads one intent where a header or a scan says it is; `undefined` when it is not there. */
export async function readIntent(
  directory: string,
  fileSystem: AuditFileSystem,
  { id, segment, offset }: OpenIntent,
): Promise<AuditIntentEvent | undefined> {
  try {
    const record = await withFile(
      fileSystem,
      segmentPath(directory, segment),
      'read',
      async (file) =>
        firstRecord(await file.read(offset, SHORT_LINE_BYTES)) ??
        firstRecord(await file.read(offset, MAX_LINE_BYTES)),
    );
    const event = record && parseEvent(record);
    return event?.stage === 'intent' && event.id === id ? event : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
