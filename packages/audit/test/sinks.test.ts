import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { platformFiles } from '../src/disk/platform-files.ts';
import {
  auditEventSchema,
  createCollectorSink,
  createFileSink,
  createOpenTelemetrySink,
  createStreamSink,
  createSyslogSink,
  openAuditTrail,
  type AuditEvent,
  type AuditSink,
  type OpenTelemetryLogger,
} from '../src/index.ts';
import { auditSinkContract, type SinkHarness } from '../src/testing.ts';
import { Collector } from './collector.ts';
import { intent, options, temporaryDirectory, PRIVATE_FILE_MODE } from './fixtures.ts';
import { SyslogServer } from './syslog-server.ts';

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The same object after a round through the schema: what a reader sees. */
function parse(value: unknown): AuditEvent {
  return auditEventSchema.parse(value);
}

async function fileHarness(): Promise<SinkHarness> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'audit.jsonl');
  const text = () => readFile(path, 'utf8').catch(() => '');
  return {
    sink: createFileSink({ path }),
    text,
    received: async () => linesOf(await text()).map((line) => parse(JSON.parse(line))),
    fail: () => mkdir(path).then(() => undefined),
    recover: () => rm(path, { recursive: true }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function streamHarness(): Promise<SinkHarness> {
  const chunks: Buffer[] = [];
  const working = () =>
    new Writable({
      write(chunk: Buffer, _encoding, callback) {
        chunks.push(chunk);
        callback();
      },
    });
  const broken = () => new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('EPIPE')) });
  let current = working();
  // A stream that failed stays failed: a new one takes its place, as after a restart.
  const stream = new Proxy(current, {
    get: (_target, name) => {
      const member: unknown = Reflect.get(current, name);
      return typeof member === 'function' ? member.bind(current) : member;
    },
  });
  const text = async () => Buffer.concat(chunks).toString('utf8');
  return {
    sink: createStreamSink({ stream }),
    text,
    received: async () =>
      linesOf(await text()).map((line) => parse((JSON.parse(line) as { auditEvent: unknown }).auditEvent)),
    fail: async () => {
      current = broken();
    },
    recover: async () => {
      current = working();
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function collectorHarness(): Promise<SinkHarness> {
  const collector = await Collector.start();
  return {
    sink: createCollectorSink({ url: collector.url }),
    text: async () => collector.bodies.join('\n'),
    received: async () => collector.accepted.map(parse),
    fail: () => collector.down(),
    recover: () => collector.up(),
    [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose](),
  };
}

async function syslogHarness(): Promise<SinkHarness> {
  const server = await SyslogServer.start();
  return {
    sink: createSyslogSink({ host: '127.0.0.1', port: server.port, tls: false, hostName: 'test-host' }),
    text: async () => server.text,
    received: async () => server.messages.map(({ message }) => parse(JSON.parse(message))),
    fail: () => server.down(),
    recover: () => server.up(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function openTelemetryHarness(): Promise<SinkHarness> {
  const records: Parameters<OpenTelemetryLogger['emit']>[0][] = [];
  let failing = false;
  return {
    sink: createOpenTelemetrySink({
      logger: { emit: (record) => void records.push(record) },
      flush: () => (failing ? Promise.reject(new Error('export failed')) : Promise.resolve()),
    }),
    text: async () => records.map(({ body }) => body).join('\n'),
    received: async () => records.map(({ body }) => parse(JSON.parse(body))),
    fail: async () => {
      failing = true;
    },
    recover: async () => {
      failing = false;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

describe.each([
  { name: 'file', open: fileHarness },
  { name: 'stderr', open: streamHarness },
  { name: 'collector', open: collectorHarness },
  { name: 'syslog', open: syslogHarness },
  { name: 'opentelemetry', open: openTelemetryHarness },
])('the $name sink', ({ open }) => {
  it.each(auditSinkContract(open))('$name', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined();
  });
});

async function oneEvent(sink: AuditSink): Promise<void> {
  await using directory = await temporaryDirectory();
  await using trail = await openAuditTrail({ ...options(directory.path), sinks: [sink] });
  const entry = await trail.begin(intent());
  await entry.finish({ result: 'denied', reason: 'missing_group', durationMs: 1 });
  await trail.flush();
}

describe('the file', () => {
  it('is private, and rotated by size into a bounded number of files', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'audit.jsonl');
    const sink = createFileSink({ path, rotateBytes: 100, keepFiles: 2 });
    for (let round = 0; round < 5; round += 1) {
      await oneEvent(sink);
    }
    const names = (await readdir(directory.path)).toSorted();
    expect(names.filter((name) => !name.includes('.anchor-'))).toEqual([
      'audit.jsonl',
      'audit.jsonl.1',
      'audit.jsonl.2',
    ]);
    expect((await stat(path)).mode & 0o777).toBe(PRIVATE_FILE_MODE);
    for (const file of [path, `${path}.1`, `${path}.2`]) {
      expect(linesOf(await readFile(file, 'utf8'))).toHaveLength(2);
    }
  });

  it('keeps every event of several trails that it serves, while it rotates', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'audit.jsonl');
    const sink = createFileSink({ path, rotateBytes: 100, keepFiles: 20 });
    await Promise.all(Array.from({ length: 8 }, () => oneEvent(sink)));
    const names = (await readdir(directory.path)).filter((name) => !name.includes('.anchor-'));
    const texts = await Promise.all(names.map((name) => readFile(join(directory.path, name), 'utf8')));
    expect(new Set(texts.flatMap(linesOf)).size).toBe(16);
  });

  it('begins a new line after one that a crash cut off', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'audit.jsonl');
    await writeFile(path, '{"schemaVersion":1,"id":"cut o');
    await oneEvent(createFileSink({ path }));
    const [cut, ...whole] = linesOf(await readFile(path, 'utf8'));
    expect(cut).toBe('{"schemaVersion":1,"id":"cut o');
    expect(whole.map((line) => parse(JSON.parse(line)).stage)).toEqual(['intent', 'outcome']);
  });

  it('follows a file that a log rotation moved away', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'audit.jsonl');
    const sink = createFileSink({ path });
    await oneEvent(sink);
    await platformFiles.rename(path, `${path}.moved`);
    await oneEvent(sink);
    expect(linesOf(await readFile(path, 'utf8'))).toHaveLength(2);
  });

  it.runIf(platformFiles.hasModes)('refuses a symbolic link', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'audit.jsonl');
    await writeFile(join(directory.path, 'elsewhere'), '');
    await symlink(join(directory.path, 'elsewhere'), path);
    const delivered = createFileSink({ path }).deliver([], {
      signal: new AbortController().signal,
      idempotencyKey: '',
    });
    await expect(delivered).rejects.toMatchObject({ code: 'delivery_failed' });
  });
});

describe('the stream', () => {
  it('rejects at once after it failed, instead of waiting for a callback that never comes', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('EPIPE')) });
    const sink = createStreamSink({ stream });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const delivered = sink.deliver([await anEvent()], {
        signal: new AbortController().signal,
        idempotencyKey: '',
      });
      await expect(delivered).rejects.toMatchObject({ code: 'delivery_failed' });
    }
  });
});

describe('a syslog message', () => {
  it('has the header of RFC 5424, with a severity that follows the result', async () => {
    await using server = await SyslogServer.start();
    await oneEvent(
      createSyslogSink({ host: '127.0.0.1', port: server.port, tls: false, hostName: 'höst name' }),
    );
    expect(server.messages.map(({ header }) => header)).toEqual([
      expect.stringMatching(
        /^<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z h_st_name test-server - intent \[meta sequenceId="1"\]$/,
      ),
      expect.stringMatching(/^<108>1 .* outcome \[meta sequenceId="2"\]$/),
      expect.stringMatching(/^<110>1 .* - - checkpoint \[meta sequenceId="2"\]$/),
    ]);
  });

  it('goes over TLS to a server whose certificate is trusted, and to no other', async () => {
    await using directory = await temporaryDirectory();
    const { key, cert } = await selfSigned(directory.path);
    await using server = await SyslogServer.start((listener) => createTlsServer({ key, cert }, listener));
    const to = { host: '127.0.0.1', port: server.port };
    const trusting = createSyslogSink({ ...to, tls: { ca: cert, servername: 'syslog.test' } });
    await oneEvent(trusting);
    // The last one is the anchor.
    expect(server.messages).toHaveLength(3);
    const distrusting = createSyslogSink({ ...to, tls: { servername: 'syslog.test' } });
    const delivered = distrusting.deliver([], {
      signal: new AbortController().signal,
      idempotencyKey: '',
    });
    await expect(delivered).rejects.toMatchObject({ code: 'delivery_failed' });
    expect(server.messages).toHaveLength(3);
  });

  it('is not taken for delivered when the server resets the connection', async () => {
    const server = createServer((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const port = await listen(server);
    const sink = createSyslogSink({ host: '127.0.0.1', port, tls: false });
    const delivered = sink.deliver([await anEvent()], {
      signal: new AbortController().signal,
      idempotencyKey: '',
    });
    await expect(delivered).rejects.toMatchObject({ code: 'delivery_failed' });
    server.close();
  });

  it('is given up when the server never closes its side', async () => {
    const sockets: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket.resume());
    });
    const port = await listen(server);
    const sink = createSyslogSink({ host: '127.0.0.1', port, tls: false, timeoutMs: 20 });
    const delivered = sink.deliver([await anEvent()], {
      signal: new AbortController().signal,
      idempotencyKey: '',
    });
    await expect(delivered).rejects.toMatchObject({ code: 'delivery_failed' });
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
});

describe('several sinks', () => {
  it('get every event although one of them fails, hangs or throws', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const path = join(directory.path, 'audit.jsonl');
    const failing: AuditSink = { name: 'failing', deliver: () => Promise.reject(new Error('no')) };
    const hanging: AuditSink = { name: 'hanging', deliver: () => new Promise(() => {}) };
    const throwing: AuditSink = {
      name: 'throwing',
      deliver() {
        throw new Error('before its first await');
      },
    };
    const sinks = [
      failing,
      createFileSink({ path }),
      hanging,
      createCollectorSink({ url: collector.url }),
      throwing,
    ];
    const trail = await openAuditTrail({
      ...options(join(directory.path, 'trail')),
      sinks,
      setTimer: (callback, delayMs) => {
        // The time that close() gives the hanging sink is over at once.
        if (delayMs === 5000) {
          queueMicrotask(callback);
        }
        return () => {};
      },
    });
    for (let round = 0; round < 3; round += 1) {
      const entry = await trail.begin(intent({ urgent: true }));
      await entry.finish({ result: 'success', durationMs: 1 });
    }
    await expect.poll(() => collector.stored.length).toBe(6);
    await expect.poll(async () => linesOf(await readFile(path, 'utf8')).length).toBe(6);
    expect(trail.health()).toMatchObject({
      state: 'degraded',
      backlog: 6,
      sinks: [
        { name: 'failing', state: 'failing', backlog: 6, failures: expect.toSatisfy((count) => count > 0) },
        { name: 'file', state: 'ok', backlog: 0, oldestUndeliveredAgeMs: 0, failures: 0 },
        { name: 'hanging', state: 'ok', backlog: 6, failures: 0 },
        { name: 'collector', state: 'ok', backlog: 0, oldestUndeliveredAgeMs: 0, failures: 0 },
        { name: 'throwing', state: 'failing', backlog: 6, failures: expect.toSatisfy((count) => count > 0) },
      ],
    });
    await trail.close();
  });
});

async function anEvent(): Promise<AuditEvent> {
  const events: AuditEvent[] = [];
  await oneEvent({ name: 'memory', deliver: async (batch) => void events.push(...batch) });
  return parse(events[0]);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function selfSigned(directory: string): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'.split(' ');
  const names = ['-subj', '/CN=syslog.test', '-addext', 'subjectAltName=DNS:syslog.test'];
  await promisify(execFile)('openssl', [...request, ...names, '-keyout', key, '-out', cert]);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}
