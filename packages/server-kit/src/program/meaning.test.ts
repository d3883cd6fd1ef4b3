import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { authenticationSettings, commonSettings } from './common-settings.ts';
import { httpSettings } from './http-settings.ts';
import { readSettings, SettingsError, type Settings } from './settings.ts';
import { unknownSettings } from './unknown-settings.ts';

const secretSettings = {
  PASSWORD: { description: 'Password', schema: z.string(), secret: true },
} satisfies Settings;
const all = { ...authenticationSettings, ...httpSettings, ...commonSettings, ...secretSettings };

/** What one variable becomes. */
function valueOf(name: keyof typeof all, text: string): unknown {
  return readSettings({ [name]: all[name] }, { [name]: text })[name];
}

/** What is said about one variable. */
function problemOf(name: keyof typeof all, text: string): string {
  try {
    return `accepted: ${JSON.stringify(valueOf(name, text))}`;
  } catch (error) {
    return error instanceof SettingsError ? error.problems.join('; ') : String(error);
  }
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-meaning-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function fromFile(content: string | Uint8Array): string {
  const path = join(folder, 'secret');
  writeFileSync(path, content);
  return readSettings(secretSettings, { PASSWORD_FILE: path }).PASSWORD;
}

describe('a setting that is meant in another spelling', () => {
  it.each<[keyof typeof all, string, unknown]>([
    ['ALLOWED_HOSTS', 'mcp.example.com:8443', ['mcp.example.com']],
    ['ALLOWED_HOSTS', 'https://MCP.example.com/, mcp.example.com., ::1', ['mcp.example.com', '[::1]']],
    ['ALLOWED_HOSTS', 'bücher.example', ['xn--bcher-kva.example']],
    ['ALLOWED_ORIGINS', 'HTTPS://App.example.com:443/', ['https://app.example.com']],
    ['ALLOWED_ORIGINS', 'localhost, vscode-webview://abc', ['localhost', 'vscode-webview://abc']],
    ['TRUSTED_PROXIES', '10.0.0.0/8, [2001:db8::1]', ['10.0.0.0/8', '2001:db8::1']],
    ['HOST', '[::1]', '::1'],
    ['ALLOWED_HOSTS', 'my_server.default.svc, 10.0.0.1', ['my_server.default.svc', '10.0.0.1']],
    ['AUTH_GROUP_NAMES', 'a1 = team a', ['a1=team a']],
    ['AUDIT_SYSLOG_URL', 'tls://[::1]:6514', 'tls://[::1]:6514'],
    ['LOG_LEVEL', 'INFO', 'info'],
    ['AUDIT_STDERR', 'True', true],
    ['STATE_DIRECTORY', '/var/lib/mcp \r\n', '/var/lib/mcp'],
    ['PORT', ' 8080\r', 8080],
    ['PASSWORD', ' pass word # 1 ', ' pass word # 1 '],
  ])('%s=%j is understood', (name, text, value) => {
    expect(valueOf(name, text)).toEqual(value);
  });

  it.each<[string, string | Uint8Array]>([
    ['a byte order mark', '\ufeffplanted\r\n'],
    ['two line breaks', 'planted\n\n'],
  ])('a secret file with %s holds the secret alone', (_, content) => {
    expect(fromFile(content)).toBe('planted');
  });

  it('quotes in a secret file belong to the secret', () => {
    expect(fromFile('"planted"\n')).toBe('"planted"');
  });
});

describe('a setting that cannot be meant', () => {
  it.each<[keyof typeof all, string, RegExp]>([
    ['STATE_DIRECTORY', '"/var/lib/x"', /^STATE_DIRECTORY: is in quotes.*as STATE_DIRECTORY=\/var\/lib\/x$/u],
    ['STATE_DIRECTORY', "'/var/lib/x", /in quotes/u],
    [
      'STATE_DIRECTORY',
      '~/state',
      /only a shell replaces: write the whole path, such as \/home\/name\/state$/u,
    ],
    ['STATE_DIRECTORY', '$HOME/state', /only a shell replaces/u],
    ['STATE_DIRECTORY', '${HOME}/state', /nothing replaces/u],
    ['STATE_DIRECTORY', 'file:///var/lib/x', /a path, not a URL: write .*var.lib.x/u],
    ['STATE_DIRECTORY', 'STATE_DIRECTORY=/x', /its own name/u],
    ['STATE_DIRECTORY', 'undefined', /template/u],
    ['STATE_DIRECTORY', '  ', /white space/u],
    ['STATE_DIRECTORY', '/a\n/b', /line break/u],
    ['POLICY_FILE', '~alice/policy.yaml', /whole path/u],
    ['AUDIT_FILE', '~/audit.jsonl', /whole path/u],
    ['ALLOWED_HOSTS', 'mcp.example.com,', /empty entry: write mcp\.example\.com$/u],
    ['ALLOWED_HOSTS', ',', /empty entry/u],
    ['ALLOWED_HOSTS', '"a.example","b.example"', /quotes/u],
    ['ALLOWED_HOSTS', '["a.example"]', /not JSON/u],
    ['ALLOWED_HOSTS', 'a.example b.example', /host name/u],
    ['ALLOWED_HOSTS', '*.example.com', /wildcard/u],
    ['ALLOWED_HOSTS', 'https://mcp.example.com/mcp', /without a path: write mcp\.example\.com$/u],
    ['ALLOWED_ORIGINS', '*', /wildcard/u],
    ['ALLOWED_ORIGINS', 'https://a.example,null', /sandboxed/u],
    ['ALLOWED_ORIGINS', 'app.example.com', /scheme: write https:\/\/app\.example\.com$/u],
    [
      'ALLOWED_ORIGINS',
      'https://app.example.com/page',
      /without a path: write https:\/\/app\.example\.com$/u,
    ],
    ['ALLOWED_ORIGINS', 'wss://app.example.com', /scheme that no web page has/u],
    ['ALLOWED_ORIGINS', 'https://a.example,,https://b.example', /empty entry/u],
    ['TRUSTED_PROXIES', '10.0.0.1:443', /write 10\.0\.0\.1$/u],
    ['TRUSTED_PROXIES', '10.0.0.0/33', /prefix length from 0 to 32/u],
    ['TRUSTED_PROXIES', 'proxy.internal', /address or a CIDR block/u],
    ['HOST', 'http://0.0.0.0:3000', /write 0\.0\.0\.0$/u],
    ['HOST', '*', /write 0\.0\.0\.0$/u],
    ['AUTH_ALGORITHMS', 'RS256,', /empty entry: write RS256$/u],
    ['ALLOWED_HOSTS', ',', /no other: write one, or leave the variable out$/u],
    ['ALLOWED_HOSTS', 'a.example.com;b.example.com', /";": separate the entries by commas$/u],
    ...[
      '(a)',
      '!a',
      '$HOST',
      'a..b',
      '..',
      'a.example.com..',
      '-a',
      '256.1.1.1',
      `${'a'.repeat(64)}.example`,
    ].map((text): [keyof typeof all, string, RegExp] => ['ALLOWED_HOSTS', text, /must be a host name/u]),
    ['ALLOWED_ORIGINS', 'https://a.example;https://b.example', /separate the entries by commas$/u],
    ['ALLOWED_ORIGINS', 'https://a..b', /must be an origin/u],
    ['ALLOWED_ORIGINS', 'javascript://a', /scheme that no web page has/u],
    ['ALLOWED_ORIGINS', 'data://x', /scheme that no web page has/u],
    ['ALLOWED_ORIGINS', 'localhost:3000', /scheme: write http:\/\/localhost:3000$/u],
    ['TRUSTED_PROXIES', 'fe80::1%eth0', /without a zone: write fe80::1$/u],
    ['AUTH_GROUP_NAMES', 'a=b=c', /equals sign/u],
    ['HOST', '256.1.1.1', /must be an address/u],
    ...[
      'tls://',
      'tls:///x',
      'tls:host:6514',
      'tls://u:p@h',
      'tls://h/path?x',
      'tcp://h:0',
      'tls://h:99999',
    ].map((text): [keyof typeof all, string, RegExp] => [
      'AUDIT_SYSLOG_URL',
      text,
      /must be tls:\/\/HOST:PORT/u,
    ]),
    ['AUDIT_SYSLOG_CA', '/etc/ca.pem', /must be PEM/u],
    ['AUDIT_KEEP_DAYS', '0.5', /whole positive number of days/u],
    ['AUDIT_KEEP_DAYS', '9'.repeat(400), /whole positive number/u],
    ['MAX_BODY_BYTES', '1MiB', /write 1048576$/u],
    ['AUDIT_MAX_BYTES', '64Mi', /write 67108864$/u],
    ['AUDIT_MAX_BYTES', '1.5G', /write 1500000000$/u],
    ['AUDIT_REFUSAL_BYTES_PER_DAY', '1e6', /write 1000000$/u],
    ['LOG_LEVEL', 'warning', /write warn$/u],
    ['LOG_LEVEL', 'inof', /write info$/u],
    ['LOG_LEVEL', 'info # quiet', /comment/u],
    ['AUDIT_STDERR', 'ture', /true or false/u],
    ['TERMINATION_GRACE_MS', '30s', /without a unit: write 30000$/u],
    ['TERMINATION_GRACE_MS', '0.5m', /write 30000$/u],
    ['TERMINATION_GRACE_MS', '0x7530', /whole number/u],
    ['TERMINATION_GRACE_MS', '30_000', /write 30000$/u],
    ['AUDIT_KEEP_DAYS', '90d', /write 90$/u],
    ['PASSWORD', '"planted"', /^PASSWORD: is in quotes(?!.*planted)/u],
    ['PASSWORD', 'plan\nted', /line break(?!.*plan)/u],
  ])('%s=%j is refused with what to write', (name, text, words) => {
    expect(problemOf(name, text)).toMatch(words);
  });

  it('is told from credentials, which are not repeated', () => {
    expect(problemOf('AUTH_ISSUER', '"https://user:hunter2@idp.example"')).not.toContain('hunter2');
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['empty', '\n', /^invalid settings: PASSWORD_FILE: the file is empty$/u],
    ['UTF-16', Buffer.from('\ufeffplanted', 'utf16le'), /PASSWORD_FILE: the file is not UTF-8/u],
  ])('such as a secret file that is %s is refused', (_, content, words) => {
    expect(() => fromFile(content)).toThrow(words);
  });

  it('such as the path of a secret file that only a shell understands is refused', () => {
    expect(() => readSettings(secretSettings, { PASSWORD_FILE: '~/secret' })).toThrow(
      /PASSWORD_FILE: starts with "~"/u,
    );
  });
});

describe('a variable that no setting reads', () => {
  const unknown = (environment: Record<string, string>) => unknownSettings(all, environment);

  it.each([
    ['ALLOWED_HOST', 'ALLOWED_HOSTS'],
    ['ALOWED_HOSTS', 'ALLOWED_HOSTS'],
    ['allowed_hosts', 'ALLOWED_HOSTS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['TERMINATION_GRACE_SM', 'TERMINATION_GRACE_MS'],
    ['DIRECTORY_PASWORD_FILE', 'DIRECTORY_PASSWORD_FILE'],
  ])('%s is refused with %s', (name, near) => {
    expect(unknown({ [name]: 'x' })).toEqual([`${name} is not a setting: write ${near}`]);
  });

  it('is refused when it has a prefix of ours', () => {
    expect(unknown({ AUTH_TENANT_COLOUR: 'x' })).toEqual([
      'AUTH_TENANT_COLOUR is not a setting: remove it, or see --help for those there are',
    ]);
  });

  it('is let be when it belongs to others', () => {
    expect(
      unknown({
        HOME: '/',
        PATH: '/bin',
        HOSTNAME: 'x',
        AUDIT_SERVICE_HOST: '10.0.0.1',
        AUDIT_PORT_80_TCP: 'x',
        NODE_ENV: 'x',
        POTR: '1',
      }),
    ).toEqual([]);
  });
});
