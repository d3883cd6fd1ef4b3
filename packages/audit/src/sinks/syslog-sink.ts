import { connect as connectTcp, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import { checkWhole, MAX_TIMER_MS } from '../check-number.ts';
import { checkSinkName, type AuditSink } from '../delivery/sink.ts';
import { AuditError } from '../errors.ts';
import { syslogAnchorFrame, syslogFrame } from './syslog-message.ts';

/** Where the syslog server is and how to reach it. */
export interface SyslogSinkOptions {
  /** Name or address of the server. */
  readonly host: string;
  /** 1 to 65535. @default 6514 with TLS, 601 without */
  readonly port?: number | undefined;
  /** What the TLS connection needs beyond the system's trust; `false` sends in clear text. @default {} */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'> | false | undefined;
  /** Names the cursor file. @default 'syslog' */
  readonly name?: string | undefined;
  /** HOSTNAME of each message. @default the machine's */
  readonly hostName?: string | undefined;
  /** Facility number of each message, 0 to 23. @default 13, log audit */
  readonly facility?: number | undefined;
  /** How long one batch may take, in milliseconds, 1 to 2147483647. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

/** The options of a syslog sink, checked, with every default filled in. */
type ResolvedSyslogSinkOptions = {
  readonly [Name in keyof SyslogSinkOptions]-?: Exclude<SyslogSinkOptions[Name], undefined>;
};

/** @throws {TypeError | RangeError} for an option that is missing or out of its range */
function resolveSyslogSinkOptions(options: SyslogSinkOptions): ResolvedSyslogSinkOptions {
  const { host, tls = {}, name = 'syslog', hostName = hostname() } = options;
  const { port = tls === false ? 601 : 6514, facility = 13, timeoutMs = 10_000 } = options;
  if (typeof host !== 'string' || host === '') {
    throw new TypeError(`host must be a host name, got ${typeof host}`);
  }
  checkSinkName('name', name);
  checkWhole('port', port, 1, 65_535);
  checkWhole('facility', facility, 0, 23);
  checkWhole('timeoutMs', timeoutMs, 1, MAX_TIMER_MS);
  return { host, port, tls, name, hostName, facility, timeoutMs };
}

/**
 * Sends events as RFC 5424 messages over TLS (RFC 5425) or TCP (RFC 6587, octet counting), one connection for
 * each batch. Syslog acknowledges nothing: `deliver` resolves when the server, told that no more comes, closes
 * its side too, and rejects with AuditError `delivery_failed`.
 * @throws {TypeError | RangeError} for an option that is missing or out of its range
 */
export function createSyslogSink(options: SyslogSinkOptions): AuditSink {
  const { host, port, tls, name, hostName, facility, timeoutMs } = resolveSyslogSinkOptions(options);

  // Calls back when the server may be sent to: with TLS not before its certificate was accepted.
  function open(onReady: () => void): Socket {
    if (tls === false) {
      return connectTcp({ host, port }, onReady);
    }
    return connectTls({ host, port, minVersion: 'TLSv1.2', ...tls }, onReady);
  }

  async function sendFrames(frames: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const attempt = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      await send(open, frames, attempt);
    } catch (cause) {
      signal.throwIfAborted();
      throw new AuditError('delivery_failed', 'The syslog server did not take the batch', { cause });
    }
  }

  const header = { facility, hostName };
  return {
    name,
    deliver: (events, { signal }) =>
      sendFrames(events.map((event) => syslogFrame(event, header)).join(''), signal),
    keepAnchor: (anchor, { signal }) => sendFrames(syslogAnchorFrame(anchor, header), signal),
  };
}

function send(open: (onReady: () => void) => Socket, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let hasEnded = false;
    const socket = open(() => socket.end(text));
    const onAbort = () => socket.destroy(new Error('The time is up', { cause: signal.reason }));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('end', () => {
      hasEnded = true;
    });
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      // A reset after our last byte leaves open how much of it was read.
      if (hasEnded) {
        resolve();
      } else {
        reject(new Error('The connection ended early'));
      }
    });
    // Nothing is expected, but an unread byte would hold back the end.
    socket.resume();
  });
}
