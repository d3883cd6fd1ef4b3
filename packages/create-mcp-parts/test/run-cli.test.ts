import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { PROVIDERS } from '@mcp-parts/auth/provider-names';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PROFILES } from '../src/auth-profile.ts';
import { runCli } from '../src/run-cli.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'create-mcp-parts-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const fileOf = (path: string) => readFile(join(directory, path), 'utf8');

/** Runs the command in a folder, and without a terminal unless somebody answers its questions. */
async function run(
  argv: readonly string[],
  options: { folder?: string; answers?: string[]; npm?: number } = {},
) {
  const output = new PassThrough();
  const errors = new PassThrough();
  const installed: string[] = [];
  const { answers } = options;
  const isTTY = answers !== undefined;
  const left = [...(answers ?? [])];
  const stdin = new Readable({ read() {} });
  // Answers a question when it is asked, as a person would.
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      output.write(chunk);
      if (String(chunk).endsWith('] ')) {
        stdin.push(`${left.shift() ?? ''}\n`);
      }
      done();
    },
  });
  const status = await runCli(argv, {
    stdin: Object.assign(stdin, { isTTY }),
    stdout: Object.assign(stdout, { isTTY }),
    stderr: errors,
    directory: options.folder ?? directory,
    install: async (folder) => {
      installed.push(folder);
      return options.npm ?? 0;
    },
  });
  output.end();
  errors.end();
  return { status, installed, output: await text(output), errors: await text(errors), left };
}

describe('create-mcp-parts', () => {
  it('writes a project, installs it and says what to do next', async () => {
    const { status, installed, output } = await run(['tickets', '--transport', 'both', '--auth', 'keycloak']);

    expect(status).toBe(0);
    expect(installed).toEqual([join(directory, 'tickets')]);
    expect(output).toMatch(/^Wrote \d+ files into tickets\.\nNext:\n {2}cd tickets\n {2}npm test\n/u);
    expect(await fileOf('tickets/.env')).toContain('AUTH_PROVIDER=keycloak\n');
    expect(await fileOf('tickets/src/server.ts')).toContain("name: 'tickets', title: 'Tickets'");
    expect(JSON.parse(await fileOf('tickets/.mcp.json'))).toMatchObject({
      mcpServers: { tickets: { type: 'stdio', args: ['dist/stdio.js'] } },
    });
  });

  it('asks in a terminal for what was not said', async () => {
    const { status, output, left } = await run([], {
      answers: ['house-tickets', 'ftp', 'http', 'okta', '', 'yes', 'no'],
    });

    expect({ status, left }).toEqual({ status: 0, left: [] });
    expect(output).toContain('How do clients reach it? (stdio, http, both) [stdio]');
    expect(await fileOf('house-tickets/.env')).toContain('AUTH_PROVIDER=okta\n');
    expect(await fileOf('house-tickets/src/tools/export-tickets.ts')).toContain('check_export');
  });

  it('asks nothing where nobody can answer', async () => {
    expect(await run(['tickets', '--no-install'])).toMatchObject({ status: 0, installed: [], errors: '' });
    expect(await run([])).toMatchObject({ status: 2, errors: expect.stringContaining('Say the name') });
  });

  it.each([
    [['Tickets'], 'The name must be like my-server'],
    [['../tickets'], 'The name must be like my-server'],
    [['tickets', '--transport', 'ftp'], '--transport must be stdio, http, both; got ftp'],
    [['tickets', '--auth', 'somebody'], '--auth must be none, generic, keycloak'],
    [['tickets', '--auth', 'okta'], '--auth needs --transport http or both'],
    [['tickets', '--redis'], '--redis needs --transport http or both'],
    [['tickets', 'more'], 'There is one name; got tickets more'],
    [['tickets', '--colour'], "Unknown option '--colour'"],
    [['add', 'tol', 'a'], 'Say what to add and its name'],
    [['add', 'tool', 'a b'], 'The name must be like assign_ticket'],
    [['add', 'tool', 'delete'], 'The name must be like assign_ticket'],
    [['add', 'tool', 'assign_ticket'], 'run this in the folder of a project'],
  ])('refuses %j, and writes nothing', async (argv, problem) => {
    expect(await run(argv)).toMatchObject({
      status: 2,
      output: '',
      errors: expect.stringContaining(problem),
    });
    await expect(fileOf('tickets/package.json')).rejects.toThrow('ENOENT');
  });

  it('leaves a folder alone that has something in it', async () => {
    await run(['tickets', '--no-install']);
    await writeFile(join(directory, 'tickets/package.json'), 'mine');

    expect(await run(['tickets'])).toMatchObject({ status: 2, errors: expect.stringContaining('not empty') });
    expect(await fileOf('tickets/package.json')).toBe('mine');
  });

  it('ends with 1 when npm could not install', async () => {
    expect(await run(['tickets'], { npm: 7 })).toMatchObject({
      status: 1,
      errors: expect.stringContaining('exit status 7'),
    });
  });

  it('says in one line what could not be written, and ends with 1', async () => {
    await writeFile(join(directory, 'taken'), '');
    const { status, errors } = await run(['taken', '--no-install']);
    expect(status).toBe(1);
    expect(errors).toMatch(/^create-mcp-parts: EEXIST[^\n]*\n$/u);
  });

  it('knows the identity providers that the server knows', () => {
    expect([...PROFILES.keys()]).toEqual([...PROVIDERS]);
  });
});

describe('add', () => {
  const add = (...argv: string[]) => run(['add', ...argv], { folder: join(directory, 'tickets') });
  beforeEach(() => run(['tickets', '--no-install']));

  it('writes a tool and its test, and lists it', async () => {
    const { status, output } = await add('tool', 'assignTicket');

    expect(status).toBe(0);
    expect(output).toContain('src/tools/assign-ticket.ts, test/assign-ticket.test.ts, src/definitions.ts');
    const definitions = await fileOf('tickets/src/definitions.ts');
    expect(definitions).toContain("import { assignTicket } from './tools/assign-ticket.ts';\n");
    expect(definitions).toContain('      closeTicket(parts),\n      assignTicket(parts),\n    ],');
    expect(await fileOf('tickets/src/tools/assign-ticket.ts')).toContain("name: 'assign_ticket'");
  });

  it('lists prompts and resources where those are, and keeps what is there', async () => {
    await add('prompt', 'weekly_report');
    await add('resource', 'room');

    const definitions = await fileOf('tickets/src/definitions.ts');
    expect(definitions).toContain('resources: [ticket(parts), room(parts)],');
    expect(definitions).toContain('prompts: [triage(), weeklyReport()],');
  });

  it('connects backends, one after the other', async () => {
    await add('backend', 'billing');
    const { output } = await add('backend', 'parking-lots');

    expect(output).toContain('Next: put its settings into .env');
    expect(await fileOf('tickets/.env')).toContain('PARKING_LOTS_URL=https://parking-lots.example.com\n');
    const parts = await fileOf('tickets/src/parts.ts');
    expect(parts).toContain('partSettings = { ...parkingLotsSettings, ...billingSettings } satisfies');
    expect(parts).toContain('  await using billing = connectBilling(settings);\n');
    expect(parts).toContain('await use({ parkingLots, billing, tickets });');
    expect(JSON.parse(await fileOf('tickets/package.json'))).toHaveProperty([
      'dependencies',
      '@mcp-parts/resilient-client',
    ]);
  });

  it('keeps the last line of .env a line of its own, and what editors of Windows write', async () => {
    const folder = join(directory, 'odd');
    await run(['odd', '--no-install']);
    await writeFile(join(folder, '.env'), 'LOG_LEVEL=debug');
    for (const path of ['src/parts.ts', 'test/program.ts', 'package.json']) {
      const text = await readFile(join(folder, path), 'utf8');
      await writeFile(join(folder, path), `\ufeff${text.replaceAll('\n', '\r\n')}`);
    }

    expect(await run(['add', 'backend', 'stock'], { folder })).toMatchObject({ status: 0, errors: '' });
    expect(await fileOf('odd/.env')).toMatch(/^LOG_LEVEL=debug\nSTOCK_URL=/u);
    const parts = await fileOf('odd/src/parts.ts');
    expect(parts).toContain('readonly stock: Client;\r\n');
    expect(parts).not.toMatch(/[^\r]\n/u);
    expect(
      Object.keys((JSON.parse(await fileOf('odd/package.json')) as { dependencies: object }).dependencies),
    ).toContain('@mcp-parts/resilient-client');
  });

  it('overwrites nothing, and does half of nothing', async () => {
    await add('tool', 'assign_ticket');
    expect(await add('tool', 'assign-ticket')).toMatchObject({
      status: 2,
      errors: expect.stringContaining('there already'),
    });

    await writeFile(join(directory, 'tickets/src/definitions.ts'), 'export const definitions = {};\n');
    expect(await add('tool', 'merge_tickets')).toMatchObject({
      status: 2,
      errors: expect.stringContaining('by hand'),
    });
    await expect(fileOf('tickets/src/tools/merge-tickets.ts')).rejects.toThrow('ENOENT');
  });
});
