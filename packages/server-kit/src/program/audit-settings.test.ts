import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { auditOptions } from './audit-options.ts';
import { auditSettings } from './audit-settings.ts';
import { describeSettings, readSettings, SettingsError } from './settings.ts';

const optionsOf = (environment: Record<string, string>) =>
  auditOptions(readSettings(auditSettings, environment));
const names = (environment: Record<string, string>) =>
  optionsOf(environment).auditSinks?.map(({ name }) => name);
const pem = (type: 'ed25519' | 'x25519') =>
  String(
    (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }),
  );

describe('the audit settings', () => {
  it('ship nothing by default', () => {
    expect(optionsOf({})).toEqual({ auditSinks: [] });
    expect(optionsOf({ AUDIT_KEEP_DAYS: '90' })).toMatchObject({ auditKeepDays: 90 });
  });

  it('name every destination, side by side', () => {
    expect(
      names({
        AUDIT_COLLECTOR_URL: 'https://audit.example.test/events',
        AUDIT_FILE: '/var/log/audit.jsonl',
        AUDIT_STDERR: 'true',
        AUDIT_SYSLOG_URL: 'tls://syslog.example.test:6514',
      }),
    ).toEqual(['collector', 'file', 'stderr', 'syslog']);
    expect(names({ AUDIT_STDERR: 'false', AUDIT_SYSLOG_URL: 'tcp://[::1]' })).toEqual(['syslog']);
  });

  it('take keys', () => {
    const key = randomBytes(32);
    const options = optionsOf({
      AUDIT_DIGEST_KEY: key.toString('base64'),
      AUDIT_SIGNING_KEY: pem('ed25519'),
    });
    expect(options.auditDigestKey).toEqual(key);
    expect(options.auditSigningKey?.asymmetricKeyType).toBe('ed25519');
  });

  it.each([
    ['AUDIT_COLLECTOR_URL', 'ftp://audit.example.test'],
    ['AUDIT_STDERR', 'perhaps'],
    ['AUDIT_SYSLOG_URL', 'udp://syslog.example.test'],
    ['AUDIT_KEEP_DAYS', '0'],
    ['AUDIT_DIGEST_KEY', 'not base64!'],
    ['AUDIT_DIGEST_KEY', randomBytes(31).toString('base64')],
    ['AUDIT_SIGNING_KEY', 'planted-secret'],
    ['AUDIT_SIGNING_KEY', pem('x25519')],
  ])('refuse a %s that is wrong, without repeating it', (name, value) => {
    expect(() => optionsOf({ [name]: value })).toThrow(SettingsError);
    expect(() => optionsOf({ [name]: value })).not.toThrow(value);
  });

  it('are explained, keys without a value', () => {
    const text = describeSettings(auditSettings);
    for (const name of Object.keys(auditSettings)) {
      expect(text).toContain(name);
    }
  });
});
