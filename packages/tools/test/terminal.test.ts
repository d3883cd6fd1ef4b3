import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { runTools, temporaryFolder } from './run-tools.ts';

const hostile = ['--command', process.execPath, fileURLToPath(new URL('hostile-server.ts', import.meta.url))];
const NOT_SEEN = /(?!\n)[\p{Cc}\p{Cs}\u202e\u{e0041}]/u;

describe('what a server says', () => {
  it.each([['call', 'say'], ['call', 'say', '--json'], ['lint'], ['lint', '--json'], ['tokens'], ['lock']])(
    'moves, hides and reorders nothing in a terminal: %s %s %s',
    async (...args) => {
      const { out, err } = await runTools([...args, ...hostile]);
      expect(out.length).toBeGreaterThan(0);
      expect(`${out}${err}`).not.toMatch(NOT_SEEN);
    },
  );

  it('is JSON that means the same', async () => {
    const { out } = await runTools(['call', 'say', '--json', ...hostile]);
    const { content, structuredContent } = JSON.parse(out) as {
      readonly content: readonly [{ readonly text: string }];
      readonly structuredContent: { readonly said: string };
    };
    expect(content[0].text).toContain('\u001b]0;mine\u0007\u202eevil');
    expect(structuredContent.said).toBe(content[0].text);
  });

  it('costs what its text costs, also where that looks like a mark of a model', async () => {
    expect(await runTools(['tokens', ...hostile])).toMatchObject({ exitStatus: 0, err: '' });
  });
});

describe('mcp-tools tokens', () => {
  it.each(['abc', '-1', '1.5', '', 'NaN'])('takes no --max that is no number: "%s"', async (max) => {
    const { exitStatus, err } = await runTools(['tokens', `--max=${max}`, ...hostile]);
    expect({ exitStatus, err }).toMatchObject({
      exitStatus: 2,
      err: expect.stringContaining('--max must be'),
    });
  });
});

describe('a lock', () => {
  it.each([
    ['with a byte order mark', '\ufeff', 0],
    ['that is cut off', '{"lockVersion":1,', 1],
    ['of null', 'null', 1],
    ['without its members', '{"lockVersion":1}', 1],
  ])('%s is read, or refused in words', async (_what, text, exitStatus) => {
    const directory = await temporaryFolder();
    const write = await runTools(['lock', '--write', ...hostile], { directory });
    expect(write.exitStatus).toBe(0);
    const path = join(directory, 'mcp-lock.json');
    const locked = exitStatus === 0 ? `${text}${await readFile(path, 'utf8')}` : text;
    await writeFile(path, locked);

    const { err, ...ran } = await runTools(['lock', ...hostile], { directory });
    expect(ran.exitStatus).toBe(exitStatus);
    expect(err).toMatch(exitStatus === 0 ? /^$/u : /is no lock that this version of mcp-tools reads/u);
  });
});

describe('mcp-tools as a process', () => {
  const program = fileURLToPath(new URL('../src/mcp-tools.ts', import.meta.url));
  const shell = (tail: string) =>
    new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve) => {
      const command = `"${process.execPath}" --conditions=@mcp-parts/source "${program}" --help ${tail}`;
      execFile('/bin/sh', ['-c', command], (_error, stdout, stderr) => resolve({ stdout, stderr }));
    });

  it.skipIf(process.platform === 'win32')('says nothing when its reader goes away first', async () => {
    expect(await shell('| true')).toEqual({ stdout: '', stderr: '' });
  });

  it.skipIf(process.platform !== 'linux')('fails when what it says cannot be written', async () => {
    expect(await shell('> /dev/full; echo $?')).toEqual({
      stdout: '1\n',
      stderr: 'mcp-tools: standard output could not be written (ENOSPC)\n',
    });
  });
});
