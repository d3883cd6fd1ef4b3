import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import type { AuditEvent } from '../event/event.ts';
import { safeJson } from '../event/safe-json.ts';

/** What stands in the header of each message. */
export interface SyslogHeader {
  readonly facility: number;
  readonly hostName: string;
}

const SEVERITY = { warning: 4, notice: 5, informational: 6 };
// RFC 5424 §7.3.1: sequenceId starts again at 1 after this.
const MAX_SEQUENCE_ID = 2_147_483_647;

/** One RFC 5424 message with its length before it (RFC 6587 §3.4.1). The message is ASCII; its text is the event as JSON. */
export function syslogFrame(event: AuditEvent, header: SyslogHeader): string {
  return frame(event, header, { severity: severityOf(event), appName: event.server.name });
}

/** One such message with an anchor; its MSGID is `checkpoint`. */
export function syslogAnchorFrame(anchor: AuditCheckpoint, header: SyslogHeader): string {
  return frame(anchor, header, { severity: SEVERITY.informational, appName: '' });
}

function frame(
  said: AuditEvent | AuditCheckpoint,
  header: SyslogHeader,
  { severity, appName }: { readonly severity: number; readonly appName: string },
): string {
  const sequenceId = ((Math.max(1, said.sequence) - 1) % MAX_SEQUENCE_ID) + 1;
  const message = [
    `<${header.facility * 8 + severity}>1`,
    said.time,
    field(header.hostName, 255),
    field(appName, 48),
    '-',
    said.stage,
    `[meta sequenceId="${sequenceId}"]`,
    asciiJson(said),
  ].join(' ');
  return `${message.length} ${message}`;
}

function severityOf(event: AuditEvent): number {
  if (event.stage === 'intent') {
    return SEVERITY.informational;
  }
  switch (event.result) {
    case 'success':
      return SEVERITY.informational;
    case 'failure':
      return SEVERITY.notice;
    case 'denied':
    case 'unknown':
      return SEVERITY.warning;
    default:
      return event.result satisfies never;
  }
}

// RFC 5424 §6: printable ASCII without space, and `-` for nothing.
function field(text: string, maxLength: number): string {
  const printable = text.replaceAll(/[^\x21-\x7e]/gu, '_').slice(0, maxLength);
  return printable === '' ? '-' : printable;
}

// Beyond ASCII a message would have to begin with a byte order mark, which JSON parsers stumble over.
function asciiJson(said: object): string {
  return safeJson(said).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
