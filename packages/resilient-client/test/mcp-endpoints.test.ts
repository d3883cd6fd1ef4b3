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
    ['no file is named', [], 'usage: mcp-endpoints OPENAPI-FILE OUTPUT-FILE'],
    ['the file is not there', ['nothing.yaml', 'out.ts'], 'nothing.yaml'],
    ['the document is not valid', ['invalid.yaml', 'out.ts'], 'invalid.yaml: '],
  ])('says what is wrong, on stderr, when %s', async (_, files, message) => {
    await writeFile(join(folder, 'invalid.yaml'), 'openapi: 3.1.0\npaths: 7\n');

    const { code, stdout, stderr } = await run(...files);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});
