import { createPrivateKey } from 'node:crypto';

import { z } from 'zod';

import { booleanSetting } from './kinds/choice-setting.ts';
import { numberSetting } from './kinds/number-setting.ts';
import { pathSetting } from './kinds/path-setting.ts';
import type { Settings } from './settings.ts';

const MIN_DIGEST_KEY_BYTES = 32;
/** As the trail has it. */
const MAX_KEEP_DAYS = 36_500;
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
    schema: z
      .string()
      .refine(
        isSyslogServer,
        'must be tls://HOST:PORT or tcp://HOST:PORT, such as tls://syslog.example.com:6514',
      )
      .optional(),
  },
  AUDIT_SYSLOG_CA: {
    description:
      'PEM of whom the certificate of the syslog server must come from, where the system does not know it; give it as AUDIT_SYSLOG_CA_FILE',
    schema: z.string().includes('-----BEGIN CERTIFICATE-----', { error: 'must be PEM' }).optional(),
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

/** A scheme, a host and perhaps a port, and nothing else. */
function isSyslogServer(text: string): boolean {
  const url = /^(?:tls|tcp):\/\/[^/?#@\s]+\/?$/iu.test(text) ? URL.parse(text) : null;
  return url !== null && url.hostname !== '' && url.port !== '0';
}

function privateKey(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    // What is wrong with it must not be said: the text may be a key.
    return undefined;
  }
}

function resolveKeepDays(days: number | undefined): number | undefined {
  if (days !== undefined && !(Number.isSafeInteger(days) && days > 0 && days <= MAX_KEEP_DAYS)) {
    throw new RangeError('keepDays must be a whole positive number of days, at most a century of them');
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
