import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';
import { describe, expect, it, onTestFinished } from 'vitest';

import { runTools, temporaryFolder } from './run-tools.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const ticket = {
  type: 'object',
  properties: { id: { type: 'string' }, title: { type: 'string' } },
  required: ['id'],
};
const id = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The "id" of a `ticket`; ${not} code.\u2028',
  schema: { type: 'string' },
};

/** Every kind of operation that a tool is made of. */
const api = {
  openapi: '3.1.0',
  info: { title: 'Tickets', version: '1' },
  components: { schemas: { Ticket: ticket } },
  paths: {
    '/tickets': {
      get: {
        operationId: 'listTickets',
        summary: 'Lists tickets',
        parameters: [{ name: 'state', in: 'query', schema: { enum: ['open', 'closed'] } }],
        responses: {
          200: {
            description: '',
            ...json({ type: 'array', items: { $ref: '#/components/schemas/Ticket' } }),
          },
        },
      },
      post: {
        operationId: 'tickets.create',
        summary: 'Creates a ticket.',
        parameters: [{ name: 'Idempotency-Key', in: 'header', schema: { type: 'string' } }],
        requestBody: {
          required: true,
          ...json({ type: 'object', properties: { title: { type: 'string' } }, required: ['title'] }),
        },
        responses: { 201: { description: '', ...json({ $ref: '#/components/schemas/Ticket' }) } },
      },
    },
    '/tickets/{id}': {
      parameters: [id],
      get: {
        operationId: 'getTicket',
        summary: 'Shows "a" ticket */',
        responses: { 200: { description: '', ...json(ticket) } },
      },
      put: {
        operationId: 'renameTicket',
        requestBody: {
          required: true,
          ...json({ type: 'object', properties: { title: { type: 'string' } }, required: ['title'] }),
        },
        responses: { 200: { description: '', ...json(ticket) } },
      },
      delete: {
        operationId: 'closeTicket',
        summary: 'Closes a ticket.',
        responses: { 204: { description: '' } },
      },
    },
    '/tickets/{id}/notes': {
      parameters: [id],
      get: {
        operationId: 'listNotes',
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
        responses: {
          200: {
            description: '',
            ...json({ type: 'object', properties: { 'first-note': { type: 'string' } } }),
          },
        },
      },
    },
    '/ping': {
      get: { operationId: 'ping', responses: { 200: { description: '', ...json({ type: 'string' }) } } },
    },
  },
};
const operations = 'listTickets,tickets.create,getTicket,renameTicket,closeTicket,listNotes,ping';

/** What the strict compiler says of a folder. */
function compile(folder: string, files: readonly string[]): readonly string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(
    files.map((name) => join(folder, name)),
    { ...options, noEmit: true },
  );
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName.startsWith(folder.replaceAll('\\', '/')) ?? true)
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
}

describe('mcp-tools from-openapi', () => {
  it('writes tools and endpoints that compile strictly', async () => {
    // Beside the packages that they import.
    const directory = await mkdtemp(join(here, 'generated-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'api.json'), JSON.stringify(api));

    const args = [
      'from-openapi',
      'api.json',
      '--operations',
      operations,
      '--out',
      'tools',
      '--service',
      'tickets',
    ];
    const { exitStatus, err } = await runTools(args, { directory });
    expect({ exitStatus, err }).toEqual({ exitStatus: 0, err: '' });

    const folder = join(directory, 'tools');
    const files = await readdir(folder);
    expect(files.toSorted()).toEqual([
      'close-ticket.ts',
      'endpoints.ts',
      'get-ticket.ts',
      'list-notes.ts',
      'list-tickets.ts',
      'ping.ts',
      'rename-ticket.ts',
      'tickets-create.ts',
    ]);
    expect(compile(folder, files)).toEqual([]);

    const create = await readFile(join(folder, 'tickets-create.ts'), 'utf8');
    expect(create).toContain('Ask the person to confirm before you call it.');
    expect(create).toContain("permission: 'tickets:write'");
    expect(create).toContain('idempotencyKey: context.correlationId');
    expect(await readFile(join(folder, 'get-ticket.ts'), 'utf8')).toMatch(
      /pick\(\{\n\s+id: true,\n\s+title: true,\n/u,
    );
    expect(await readFile(join(folder, 'close-ticket.ts'), 'utf8')).toContain('destructive: true');
  });

  it('takes a document of 3.0, and operations that have no id', async () => {
    const directory = await mkdtemp(join(here, 'generated-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const note = {
      type: 'object',
      required: ['text', 'weight'],
      properties: {
        text: { type: 'string', nullable: true },
        kind: { type: 'string', enum: ['a', 'b'], nullable: true },
        weight: { type: 'number', minimum: 0, exclusiveMinimum: true },
        parent: { nullable: true, allOf: [{ $ref: '#/components/schemas/Ticket' }] },
      },
    };
    const answer = { 200: { description: '', ...json(note) } };
    const document = {
      openapi: '3.0.3',
      info: { title: 'Notes', version: '1' },
      components: { schemas: { Ticket: ticket } },
      paths: {
        '/notes/{id}': {
          parameters: [id],
          get: { responses: answer },
          delete: { operationId: 'delete', responses: answer },
        },
        '/odd': {
          get: {
            operationId: 'not chosen',
            responses: { 200: { description: '', content: { 'image/png': {} } } },
          },
        },
      },
    };
    await writeFile(join(directory, 'api.json'), JSON.stringify(document));
    const chosen = ['--operations', 'GET /notes/{id},delete', '--out', 'tools'];
    const { exitStatus, err } = await runTools(['from-openapi', 'api.json', ...chosen], { directory });
    expect({ exitStatus, err }).toEqual({ exitStatus: 0, err: '' });

    const folder = join(directory, 'tools');
    const files = await readdir(folder);
    expect(files.toSorted()).toEqual(['delete.ts', 'endpoints.ts', 'get-notes-id.ts']);
    expect(compile(folder, files)).toEqual([]);
    const endpoints = await readFile(join(folder, 'endpoints.ts'), 'utf8');
    expect(endpoints).toContain('text: z.string().nullable()');
    expect(endpoints).toContain('weight: z.number().gt(0)');
    expect(endpoints).toContain('export const deleteOperation = ');
  });

  it('overwrites nothing, unless it is told to', async () => {
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'api.json'), JSON.stringify(api));
    const args = ['from-openapi', 'api.json', '--operations', 'ping', '--out', 'tools'];
    expect((await runTools(args, { directory })).exitStatus).toBe(0);
    await writeFile(join(directory, 'tools/ping.ts'), '// mine');

    expect((await runTools(args, { directory })).exitStatus).toBe(1);
    expect(await readFile(join(directory, 'tools/ping.ts'), 'utf8')).toBe('// mine');
    expect((await runTools([...args, '--force'], { directory })).exitStatus).toBe(0);
    expect(await readFile(join(directory, 'tools/ping.ts'), 'utf8')).toContain("name: 'ping'");
  });

  it.each([
    [['from-openapi', 'api.json'], 'its operations with --operations'],
    [['from-openapi', 'api.json', '--operations', 'pong'], 'has no operation pong; it has listTickets'],
    [['from-openapi', 'api.json', '--operations', 'ping', '--service', 'A b'], '--service must have'],
  ])('ends with 2 when it is used wrongly: %j', async (args, message) => {
    const directory = await temporaryFolder();
    await writeFile(join(directory, 'api.json'), JSON.stringify(api));
    const { exitStatus, err } = await runTools(args, { directory });
    expect(exitStatus).toBe(2);
    expect(err).toContain(message);
  });
});
