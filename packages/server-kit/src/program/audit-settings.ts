import { createPrivateKey, type KeyObject } from 'node:crypto';

<<<<<<< HEAD
import {
  createAnchorCommand,
  createAnchorDirectory,
  createCollectorSink,
  createFileSink,
  createStreamSink,
  createSyslogSink,
  type AnchorKeeper,
  type AuditSink,
} from '@mcp-parts/audit';
=======
>>>>>>> stdio/main
import { z } from 'zod';

import { booleanSetting } from './kinds/choice-setting.ts';
import { numberSetting } from './kinds/number-setting.ts';
import { pathSetting } from './kinds/path-setting.ts';
import type { Settings } from './settings.ts';

const MIN_DIGEST_KEY_BYTES = 32;
const MIN_MAX_BYTES = 1_048_576;
const MIN_REFUSAL_BYTES = 65_536;

/** The settings of the audit trail; part of `commonSettings`. */
export const auditSettings = {
  AUDIT_COLLECTOR_URL: {
    description:
      'URL of the collector that audit events are sent to. Without any destination they stay in STATE_DIRECTORY',
    schema: z.url({ protocol: /^https?$/u, message: 'must be an http(s) URL' }).optional(),
  },
  AUDIT_FILE: {
    description: 'File that audit events are appended to, for a log shipper; rotated at 64 MiB',
    schema: pathSetting().optional(),
  },
  AUDIT_STDERR: {
    description: 'Whether audit events are also written to standard error: true or false',
    schema: booleanSetting(false),
  },
  AUDIT_SYSLOG_URL: {
    description:
      'Syslog server (RFC 5424) that audit events are sent to, as tls://host:6514 or tcp://host:601',
    schema: z.url({ protocol: /^(?:tls|tcp)$/u, message: 'must be a tls:// or tcp:// URL' }).optional(),
  },
  AUDIT_SYSLOG_CA: {
    description: 'Certificate authority of the syslog server, as PEM, where the system does not know it',
    schema: z.string().optional(),
  },
  AUDIT_ANCHOR_DIRECTORY: {
    description:
      'Directory, on another volume, that keeps the last signed checkpoint of each audit trail; a trail that it does not fit is not gone on with',
    schema: pathSetting().optional(),
  },
  AUDIT_ANCHOR_COMMAND: {
    description:
      'Program that is given each signed checkpoint of the audit trail as a line of JSON on its standard input, to keep it elsewhere',
    schema: pathSetting().optional(),
  },
  AUDIT_KEEP_DAYS: {
    description:
      'Days that delivered audit events are kept in STATE_DIRECTORY. Without it they are never removed',
    schema: numberSetting(resolveKeepDays),
  },
  AUDIT_MAX_BYTES: {
    description:
      'Bytes of STATE_DIRECTORY that the audit trail of a process may take; when they are used up, nothing that must be recorded is done. Default 17179869184 (16 GiB)',
    schema: numberSetting(resolveMaxBytes),
  },
  AUDIT_REFUSAL_BYTES_PER_DAY: {
    description:
      'Bytes of STATE_DIRECTORY that refused requests may take in a day, half of them those of strangers; what is more is counted, not stored one by one. Default 67108864 (64 MiB)',
    schema: numberSetting(resolveRefusalBytes),
  },
  AUDIT_DIGEST_KEY: {
    description:
      'Key with which digests of call arguments are recorded, at least 32 bytes as base64. Without it, only their names are recorded',
    schema: z
      .base64('must be base64')
      .transform((text) => Buffer.from(text, 'base64'))
      .refine((key) => key.byteLength >= MIN_DIGEST_KEY_BYTES, 'must have at least 32 bytes')
      .optional(),
    secret: true,
  },
  AUDIT_SIGNING_KEY: {
    description:
      'Private ed25519 key that signs the audit trail, as PEM. Without it, one is made and kept in STATE_DIRECTORY',
    schema: z
      .string()
      .transform((pem, context) => {
        const key = privateKey(pem);
        if (key?.asymmetricKeyType === 'ed25519') {
          return key;
        }
        context.addIssue({ code: 'custom', message: 'must be a private ed25519 key as PEM' });
        return z.NEVER;
      })
      .optional(),
    secret: true,
  },
} satisfies Settings;

<<<<<<< HEAD
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
  | 'auditAnchors'
  | 'auditKeepDays'
  | 'auditMaxBytes'
  | 'auditRefusalBytesPerDay'
  | 'auditDigestKey'
> & { readonly auditSigningKey: KeyObject | undefined } {
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
  const anchors: AnchorKeeper[] = [];
  const { AUDIT_ANCHOR_DIRECTORY: anchorDirectory, AUDIT_ANCHOR_COMMAND: command } = values;
  if (anchorDirectory !== undefined) {
    anchors.push(createAnchorDirectory(anchorDirectory));
  }
  if (command !== undefined) {
    anchors.push(createAnchorCommand({ command }));
  }
  return {
    auditSinks: sinks,
    auditAnchors: anchors.length > 0 ? anchors : undefined,
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

=======
>>>>>>> stdio/main
function privateKey(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    // What is wrong with it must not be said: the text may be a key.
    return undefined;
  }
}

function resolveKeepDays(days: number | undefined): number | undefined {
  if (days !== undefined && !(days > 0)) {
    throw new RangeError('keepDays must be a positive number of days');
  }
  return days;
}

function resolveMaxBytes(bytes: number | undefined): number | undefined {
  return checkBytes('maxBytes', bytes, MIN_MAX_BYTES);
}

function resolveRefusalBytes(bytes: number | undefined): number | undefined {
  return checkBytes('refusalBytesPerDay', bytes, MIN_REFUSAL_BYTES);
}

function checkBytes(name: string, bytes: number | undefined, min: number): number | undefined {
  if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= min)) {
    throw new RangeError(`${name} must be a whole number of bytes from ${min}`);
  }
  return bytes;
}
