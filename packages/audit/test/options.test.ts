import { describe, expect, it } from 'vitest';

import {
  createCollectorSink,
  createDigest,
  createFileSink,
  createOpenTelemetrySink,
  createProtectedTrail,
  createStreamSink,
  createSyslogSink,
  createTrailAdoption,
  openAuditTrail,
  openPersonalKeys,
  verifyTrail,
} from '../src/index.ts';

type Options = Readonly<Record<string, unknown>>;

const MAX_TIMER_MS = 2 ** 31 - 1;
const server = { name: 'server', version: '1.0.0' };
const trail = { directory: '/nonexistent/audit', sinks: [], server };
const adoption = { directories: () => Promise.resolve([]), sinks: [], server };
const collector = { url: 'http://127.0.0.1:9/' };
const file = { path: '/nonexistent/audit.jsonl' };
const syslog = { host: '127.0.0.1' };
const logger = { emit: () => undefined };

// What a program without types passes: nothing may be opened or started before it is refused.
const factories = {
  openAuditTrail: async (given: Options) => openAuditTrail({ ...trail, ...given }),
  createTrailAdoption: async (given: Options) => createTrailAdoption({ ...adoption, ...given }),
  createCollectorSink: async (given: Options) => createCollectorSink({ ...collector, ...given }),
  createFileSink: async (given: Options) => createFileSink({ ...file, ...given }),
  createSyslogSink: async (given: Options) => createSyslogSink({ ...syslog, ...given }),
  createStreamSink: async (given: Options) => createStreamSink(given),
  createOpenTelemetrySink: async (given: Options) =>
    createOpenTelemetrySink({ logger, flush: () => Promise.resolve(), ...given }),
  verifyTrail: async (given: Options) => verifyTrail({ directory: '/nonexistent', ...given }),
};
type Factory = keyof typeof factories;

const trailNumbers: readonly (readonly [name: string, min: number, max: number])[] = [
  ['deliveryIntervalMs', 1, MAX_TIMER_MS],
  ['segmentBytes', 1, Number.MAX_SAFE_INTEGER],
  ['checkpointEvents', 1, Number.MAX_SAFE_INTEGER],
  ['checkpointIntervalMs', 1, MAX_TIMER_MS],
  ['reserveBytes', 1, 1024 ** 3],
  ['minFreeBytes', 1, Number.MAX_SAFE_INTEGER],
  ['keepDays', 1, 36_500],
  ['closeTimeoutMs', 1, MAX_TIMER_MS],
];

const numbers: readonly (readonly [Factory, name: string, min: number, max: number])[] = [
  ...trailNumbers.map(([name, min, max]) => ['openAuditTrail', name, min, max] as const),
  ...trailNumbers.map(([name, min, max]) => ['createTrailAdoption', name, min, max] as const),
  ['createTrailAdoption', 'intervalMs', 1, MAX_TIMER_MS],
  ['createCollectorSink', 'timeoutMs', 1, MAX_TIMER_MS],
  ['createFileSink', 'rotateBytes', 1, Number.MAX_SAFE_INTEGER],
  ['createFileSink', 'keepFiles', 1, 1000],
  ['createSyslogSink', 'port', 1, 65_535],
  ['createSyslogSink', 'facility', 0, 23],
  ['createSyslogSink', 'timeoutMs', 1, MAX_TIMER_MS],
];

describe('a number that makes no sense', () => {
  const cases = numbers.flatMap(([factory, name, min, max]) =>
    [NaN, -1, 0.5, 1.5, Infinity, -Infinity, '5', min - 1, max + 1].map(
      (value) => [factory, name, value, min, max] as const,
    ),
  );

  it.each(cases)('is refused by name: %s, %s: %s', async (factory, name, value, min, max) => {
    const refusal = `${name} must be a whole number from ${min} to ${max}, got ${value}`;
    await expect(factories[factory]({ [name]: value })).rejects.toThrow(new RangeError(refusal));
  });
});

describe('a text that makes no sense', () => {
  it.each<[Factory, Options, message: string]>([
    ['openAuditTrail', { directory: undefined }, 'directory must be a path, got undefined'],
    ['openAuditTrail', { directory: '' }, 'directory must be a path, got '],
    ['openAuditTrail', { sinks: undefined }, 'sinks must be a list, got undefined'],
    ['openAuditTrail', { server: undefined }, 'server must have a name and a version, got undefined'],
    ['openAuditTrail', { server: { name: 'x' } }, 'server must have a name and a version, got {"name":"x"}'],
    [
      'openAuditTrail',
      { sinks: [{ name: 'A/B' }] },
      'sinks[0].name must be 1 to 64 of a-z, 0-9 and -, got A/B',
    ],
    [
      'openAuditTrail',
      { sinks: [{ name: 'a' }, { name: 'a' }] },
      'sinks must have different names, got a twice',
    ],
    [
      'openAuditTrail',
      { signingKey: 'pem' },
      'signingKey must be a private ed25519 or P-256 key, or a signer with the public key of one, got neither',
    ],
    ['createTrailAdoption', { directories: '/var' }, 'directories must be a function, got /var'],
    ['createTrailAdoption', { sinks: undefined }, 'sinks must be a list, got undefined'],
    ['createCollectorSink', { url: undefined }, 'url must be an http or https URL, got undefined'],
    ['createCollectorSink', { url: 'ftp://a/' }, 'url must be an http or https URL, got ftp://a/'],
    ['createCollectorSink', { name: 'A' }, 'name must be 1 to 64 of a-z, 0-9 and -, got A'],
    ['createFileSink', { path: undefined }, 'path must be a path, got undefined'],
    ['createFileSink', { name: '' }, 'name must be 1 to 64 of a-z, 0-9 and -, got '],
    ['createSyslogSink', { host: undefined }, 'host must be a host name, got undefined'],
    ['createSyslogSink', { name: '../x' }, 'name must be 1 to 64 of a-z, 0-9 and -, got ../x'],
    ['createStreamSink', { stream: {} }, 'stream must be a writable stream, got object'],
    ['createStreamSink', { name: ' ' }, 'name must be 1 to 64 of a-z, 0-9 and -, got  '],
    ['createOpenTelemetrySink', { flush: undefined }, 'flush must be a function, got undefined'],
    ['createOpenTelemetrySink', { logger: {} }, 'logger must have a function emit, got undefined'],
    ['createOpenTelemetrySink', { name: 'ä' }, 'name must be 1 to 64 of a-z, 0-9 and -, got ä'],
    ['verifyTrail', { directory: undefined }, 'directory must be a path, got undefined'],
  ])('is refused by name: %s %j', async (factory, given, message) => {
    await expect(factories[factory](given)).rejects.toThrow(new TypeError(message));
  });

  it.each([
    [{ personalKeys: {} }, 'personalKeys must have a function seal, got undefined'],
    [{ digest: 'key' }, 'digest must be a function, got string'],
  ])('is refused by name: createProtectedTrail %j', (given, message) => {
    expect(() => createProtectedTrail({} as never, given as never)).toThrow(new TypeError(message));
  });

  it('is refused by name: the directory of personal keys, the key of digests', async () => {
    await expect(openPersonalKeys(undefined as never)).rejects.toThrow(
      new TypeError('directory must be a path, got undefined'),
    );
    expect(() => createDigest(undefined as never)).toThrow(new TypeError('key must be bytes, got undefined'));
    expect(() => createDigest(new Uint8Array(31))).toThrow(
      new RangeError('key must have at least 32 bytes, got 31'),
    );
  });
});

describe('an option that is undefined', () => {
  it.each(Object.keys(factories).filter((name) => name.startsWith('create')))(
    'is taken as not given: %s',
    async (factory) => {
      const names = numbers.filter(([of]) => of === factory).map(([, name]) => [name, undefined]);
      const made = await factories[factory as Factory]({
        ...Object.fromEntries(names),
        name: undefined,
      });
      await (made as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.();
      expect(made).toBeDefined();
    },
  );
});
