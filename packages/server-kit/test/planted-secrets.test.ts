import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import {
  createCollectorSink,
  createFileSink,
  createStreamSink,
  createSyslogSink,
  toEcs,
  toOcsf,
} from '@mcp-parts/audit';
import { createLogger } from '@mcp-parts/observability';
import { defineTool, PublicError } from '@mcp-parts/tool-kit';
import { expect, it } from 'vitest';
import { z } from 'zod';

import { caller, startAuditedServer } from './audited-server.ts';

const COUNT = 500;
const random = (bytes = 24) => randomBytes(bytes);

/** Secrets as they look in the field: every form stands beside the others in the corpus. */
const forms: readonly (() => string)[] = [
  () => `ghp_${random(27).toString('hex').slice(0, 36)}`,
  () => `AKIA${random(10).toString('hex').toUpperCase().slice(0, 16)}`,
  () =>
    `eyJ${random(12).toString('base64url')}.eyJ${random(30).toString('base64url')}.${random(32).toString('base64url')}`,
  () => random(32).toString('base64'),
  () => random(32).toString('hex'),
  () => `xoxb-${random(8).toString('hex')}-${random(12).toString('hex')}`,
  () => `correct horse ${random(6).toString('hex')} battery`,
  () => `p4ss"w\\ord'${random(8).toString('hex')}`,
  () => `-----BEGIN PRIVATE KEY-----\n${random(48).toString('base64')}\n-----END PRIVATE KEY-----`,
  () => `sk-${random(24).toString('hex')}`,
];
const secrets = Array.from({ length: COUNT }, (_, index) => forms[index % forms.length]?.() ?? '');

/** The words that surround a secret where somebody else's error message quotes it. */
const quotes: readonly ((secret: string) => string)[] = [
  (secret) => `Request failed: {"password":${JSON.stringify(secret)}}`,
  (secret) => `api_key="${secret.replaceAll(/["\\]/gu, '')}" was refused`,
  (secret) => `connect postgres://app:${encodeURIComponent(secret)}@db.internal/prod: timeout`,
  (secret) => `401 for header authorization: Bearer ${encodeURIComponent(secret)}`,
];

const useSecret = defineTool({
  name: 'use_secret',
  title: 'Use a secret',
  description: 'Uses a secret.',
  input: z.looseObject({
    service: z.string(),
    index: z.number(),
    token: z.string().meta({ secret: true }),
    nested: z.object({ credentials: z.array(z.string().meta({ secret: true })) }),
    contact: z.string().meta({ sensitive: true }),
    note: z.string(),
  }),
  output: z.object({ echoed: z.string() }),
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
  permission: 'things:write',
  // As careless as a definition can be.
  audit: ({ note: _note, ...input }) => ({
    resource: `vault/${input.token}`,
    arguments: { ...input, header: `Bearer ${input.token}`, copy: [{ of: input.contact }] },
    urgent: true,
  }),
  handle({ token, index }) {
    const quoted = quotes[index % quotes.length]?.(token) ?? '';
    if (index % 3 === 0) {
      return Promise.reject(new Error(quoted, { cause: new Error(quoted) }));
    }
    if (index % 3 === 1) {
      return Promise.reject(new PublicError('refused', 'The vault refused it.'));
    }
    return Promise.resolve({ echoed: token });
  },
  text: ({ echoed }) => echoed,
});

async function listen(server: HttpServer | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an AddressInfo.
  return (server.address() as AddressInfo).port;
}

async function filesIn(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')))).join(
    '\n',
  );
}

it(`keeps ${COUNT} secrets out of every file, request and log line`, { timeout: 120_000 }, async () => {
  let seen = '';
  const see = () =>
    new Writable({
      write(chunk: Buffer, _encoding, callback) {
        seen += chunk.toString('utf8');
        callback();
      },
    });
  const collector = createHttpServer((request, response) => {
    void text(request).then((body) => {
      seen += `${JSON.stringify(request.headers)} ${request.url} ${body}`;
      response.writeHead(204).end();
    });
  });
  const syslog = createTcpServer((socket) => socket.on('data', (chunk) => (seen += chunk.toString('utf8'))));
  const [collectorPort, syslogPort] = await Promise.all([listen(collector), listen(syslog)]);
  const shipped = await mkdtemp(join(tmpdir(), 'mcp-shipped-'));

  {
    await using audited = await startAuditedServer({
      definitions: { tools: [useSecret] },
      logger: createLogger({ name: 'audited', level: 'debug', destination: see() }),
      auditDigestKey: randomBytes(32),
      auditSinks: [
        createCollectorSink({ url: `http://127.0.0.1:${collectorPort}/events` }),
        createFileSink({ path: join(shipped, 'audit.jsonl') }),
        createStreamSink({ stream: see() }),
        createSyslogSink({ host: '127.0.0.1', port: syslogPort, tls: false }),
      ],
    });
    const { server, http } = audited;
    const callTool = server.table.methods.get('tools/call');
    await Promise.all(
      secrets.map(async (secret, index) => {
        const context = {
          caller,
          signal: new AbortController().signal,
          era: '2026',
          transport: 'http',
          correlationId: `call-${index}`,
        } as const;
        const input = {
          service: 'payments',
          index,
          token: secret,
          nested: { credentials: [secret] },
          contact: secret,
          note: secret,
          [secret]: secret,
        };
        await callTool?.({ name: 'use_secret', arguments: input }, context);
        // Refused before a handler runs.
        await callTool?.({ name: 'use_secret', arguments: { [secret]: secret, token: secret } }, context);
        await fetch(http.url, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${encodeURIComponent(secret)}`,
            cookie: `session=${encodeURIComponent(secret)}`,
            'x-api-key': encodeURIComponent(secret),
          },
          body: JSON.stringify({ secret }),
        });
      }),
    );
    await server.audit.flush?.();

    const events = await audited.events();
    // Each call that ran is there, and the first refusals of each kind, so that nothing is missing for want of being written.
    expect(events.length).toBeGreaterThanOrEqual(COUNT * 2 + 2 * 10 * 2);
    for (const event of events) {
      seen += JSON.stringify([toOcsf(event), toEcs(event)]);
    }
    const first = events.find((event) => event.stage === 'intent' && event.argumentNames?.includes('token'));
    expect(first).toMatchObject({
      resource: '[withheld]',
      arguments: {
        service: 'payments',
        token: '[withheld]',
        nested: { credentials: ['[withheld]'] },
        contact: '[withheld]',
        header: '[withheld]',
        copy: [{ of: '[withheld]' }],
      },
      argumentNames: ['service', 'index', 'token', 'nested', 'contact', 'note'],
      argumentDigests: { contact: expect.stringMatching(/^hmac-/u), note: expect.stringMatching(/^hmac-/u) },
    });
    expect(first?.stage === 'intent' && Object.keys(first.argumentDigests ?? {})).toEqual([
      'contact',
      'note',
    ]);
    seen += await filesIn(audited.stateDirectory);
    seen += await server.telemetry.prometheus();
  }
  seen += await filesIn(shipped);
  await rm(shipped, { recursive: true });
  collector.close();
  syslog.close();

  expect(seen).toContain('call failed unexpectedly');
  expect(seen).toContain('use_secret');
  const found = secrets.filter((secret) =>
    [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)].some((form) =>
      seen.includes(form),
    ),
  );
  expect(found).toEqual([]);
});
