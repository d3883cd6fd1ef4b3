import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../src/mcp-endpoints.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-endpoints-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(...files: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const done = await promisify(execFile)(process.execPath, [program, ...files], { cwd: folder });
    return { code: 0, ...done };
  } catch (error) {
    // What execFile rejects with when the program exits with another code than 0.
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe('mcp-endpoints', () => {
  it('writes the endpoints of a document, also when it is spread over files', async () => {
    await writeFile(
      join(folder, 'api.yaml'),
      `openapi: 3.1.0
info: { title: Things, version: '1' }
paths:
  /things:
    get:
      operationId: things.list
      responses:
        '200':
          description: All things.
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Things' }
components:
  schemas:
    Things: { $ref: 'things.yaml' }
`,
    );
    await writeFile(join(folder, 'things.yaml'), 'type: array\nitems: { type: string }\n');

    expect(await run('api.yaml', 'endpoints.ts')).toEqual({ code: 0, stdout: '', stderr: '' });

    const source = await readFile(join(folder, 'endpoints.ts'), 'utf8');
    expect(source).toMatch(/^\/\/ Made from api\.yaml by mcp-endpoints\./);
    expect(source).toContain('const Things = z.array(z.string());');
    expect(source).toContain('response: Things,');
  });

  it.each([
    ['the file is not there', ['nothing.yaml', 'out.ts'], 'nothing.yaml'],
    ['the document is not valid', ['invalid.yaml', 'out.ts'], 'invalid.yaml: '],
    [
      'an operation cannot be turned into an endpoint',
      ['text.yaml', 'out.ts'],
      'GET /a 200: a body other than',
    ],
    [
      'the document has no such operation',
      ['text.yaml', 'out.ts', 'b'],
      'an operationId that it does not have',
    ],
  ])('says what is wrong in one line on stderr, and ends with 1, when %s', async (_, files, message) => {
    await writeFile(join(folder, 'invalid.yaml'), 'openapi: 3.1.0\npaths: 7\n');
    await writeFile(
      join(folder, 'text.yaml'),
      `openapi: 3.1.0
info: { title: Text, version: '1' }
paths:
  /a:
    get:
      operationId: a
      responses: { '200': { description: A text., content: { text/plain: {} } } }
`,
    );

    const { code, stdout, stderr } = await run(...files);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^mcp-endpoints: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it.each([
    ['an option that it does not know', ['--all', 'api.yaml', 'out.ts']],
    ['a document and no file to write', ['api.yaml']],
  ])('ends with 2, and says where to read on, for %s', async (_, args) => {
    const { code, stdout, stderr } = await run(...args);

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^mcp-endpoints: [^\n]+\nRun mcp-endpoints --help for usage\.\n$/);
  });

  it('shows its usage: on stdout when asked, on stderr with 2 when nothing was said', async () => {
    const [short, long, nothing] = await Promise.all([run('-h'), run('--help'), run()]);

    expect(short).toEqual({ code: 0, stdout: expect.stringMatching(USAGE), stderr: '' });
    expect(long).toEqual(short);
    expect(nothing).toMatchObject({ code: 2, stdout: '', stderr: short?.stdout });
  });

  it('shows the version of the package', async () => {
    const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };

    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('standard output', () => {
  const shell = (tail: string) =>
    new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve) => {
      const command = `"${process.execPath}" "${program}" --help ${tail}`;
      execFile('/bin/sh', ['-c', command], (_error, stdout, stderr) => resolve({ stdout, stderr }));
    });

  it.skipIf(process.platform === 'win32')('may be closed by its reader', async () => {
    expect(await shell('| true')).toEqual({ stdout: '', stderr: '' });
  });

  it.skipIf(process.platform !== 'linux')('that takes nothing is a failure', async () => {
    expect(await shell('> /dev/full; echo $?')).toEqual({
      stdout: '1\n',
      stderr: 'mcp-endpoints: standard output could not be written (ENOSPC)\n',
    });
  });
});

const USAGE =
  /^Usage: mcp-endpoints <openapi-file> <output-file> [^\n]*\n\n[^\n]+\.\n\nOptions:\n {2}-h, --help {2}[^\n]+\n[^]*\nExit status:\n {2}0 {2}done\n {2}1 {2}[^\n]+\n {2}2 {2}wrong usage\n$/;
