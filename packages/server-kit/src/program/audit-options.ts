import {
  createCollectorSink,
  createFileSink,
  createStreamSink,
  createSyslogSink,
  type AuditSink,
} from '@mcp-parts/audit';

import type { AssembleOptions } from '../assemble.ts';
import type { auditSettings } from './audit-settings.ts';
import type { SettingValues } from './settings.ts';

/**
 * What the audit settings ask for, as options of `assembleServer`. `token` is the bearer token for the collector,
 * asked for at each request.
 */
export function auditOptions(
  values: SettingValues<typeof auditSettings>,
  token?: () => Promise<string>,
): Pick<
  AssembleOptions,
  | 'auditSinks'
  | 'auditKeepDays'
  | 'auditMaxBytes'
  | 'auditRefusalBytesPerDay'
  | 'auditDigestKey'
  | 'auditSigningKey'
> {
  const sinks: AuditSink[] = [];
  const { AUDIT_COLLECTOR_URL: url, AUDIT_FILE: path, AUDIT_SYSLOG_URL: syslog } = values;
  if (url !== undefined) {
    sinks.push(createCollectorSink({ url, token }));
  }
  if (path !== undefined) {
    sinks.push(createFileSink({ path }));
  }
  if (values.AUDIT_STDERR) {
    sinks.push(createStreamSink());
  }
  if (syslog !== undefined) {
    sinks.push(syslogSink(new URL(syslog), values.AUDIT_SYSLOG_CA));
  }
  return {
    auditSinks: sinks,
    auditKeepDays: values.AUDIT_KEEP_DAYS,
    auditMaxBytes: values.AUDIT_MAX_BYTES,
    auditRefusalBytesPerDay: values.AUDIT_REFUSAL_BYTES_PER_DAY,
    auditDigestKey: values.AUDIT_DIGEST_KEY,
    auditSigningKey: values.AUDIT_SIGNING_KEY,
  };
}

function syslogSink({ protocol, hostname, port }: URL, ca: string | undefined): AuditSink {
  return createSyslogSink({
    // The brackets of an IPv6 address belong to the URL.
    host: hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: port === '' ? undefined : Number(port),
    tls: protocol === 'tcp:' ? false : { ca },
  });
}
