import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { platformFiles } from '../src/disk/platform-files.ts';
import { openAuditTrail, openPersonalKeys } from '../src/index.ts';
import { intent, options, segmentFiles, temporaryDirectory } from './fixtures.ts';

const program = fileURLToPath(new URL('../src/mcp-audit.ts', import.meta.url));
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const commands = ['tail', 'query', 'export', 'replay', 'verify', 'doctor', 'forget'];

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as its own process, as a shell does. */
function mcpAudit(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const argv = [
      '--conditions=@mcp-parts/source',
      '--disable-warning=ExperimentalWarning',
      program,
      ...args,
    ];
    const child = execFile(process.execPath, argv, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Columns of a section: every meaning starts where the first one does. */
function meaningsOf(usage: string, title: string): number[] {
  const body = usage.split(`\n${title}:\n`)[1]?.split('\n\n')[0] ?? '';
  return body
    .trimEnd()
    .split('\n')
    .map((line) => line.search(/(?<=\S {2,})\S/u));
}

async function writeTrail(path: string): Promise<void> {
  await using trail = await openAuditTrail(options(path));
  await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
}

describe('mcp-audit', () => {
  it('shows its usage on stderr and ends with 2 without arguments', async () => {
    const { status, stdout, stderr } = await mcpAudit();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: mcp-audit <command> \[options\]\n\n\S.*\.\n\nCommands:\n/u);
  });

  it.each(['-h', '--help'])('shows its usage on stdout and ends with 0: %s', async (option) => {
    const { status, stdout, stderr } = await mcpAudit(option);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Usage: mcp-audit <command> \[options\]\n\n.*\n\nCommands:\n {2}\S[^]*\n\nOptions:\n[^]*\n\nExit status:\n {2}0 {2}done\n {2}1 {2}\S.*\n {2}2 {2}wrong usage\n$/u,
    );
    for (const command of commands) {
      expect(stdout).toMatch(new RegExp(`^  ${command} +\\S`, 'mu'));
    }
    for (const title of ['Commands', 'Options', 'Exit status']) {
      expect(new Set(meaningsOf(stdout, title)).size).toBe(1);
    }
  });

  it('shows the version of its package', async () => {
    expect(await mcpAudit('--version')).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it.each(commands)('shows the usage of a command: %s', async (command) => {
    const { status, stdout, stderr } = await mcpAudit(command, '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(`^Usage: mcp-audit ${command} \\[options\\]\\n\\n\\S.*\\.\\n\\nOptions:\\n`, 'u'),
    );
    expect(stdout).toMatch(/\n\nExit status:\n {2}0 {2}done\n {2}1 {2}\S.*\n {2}2 {2}wrong usage\n$/u);
    expect(stdout).toContain('  -h, --help ');
    expect(new Set(meaningsOf(stdout, 'Options')).size).toBe(1);
  });

  it.each([
    [['rewrite'], 'There is no command rewrite'],
    [['--verbose'], "Unknown option '--verbose'"],
    [['query'], '--directory is required'],
    [['query', '--wrong'], "Unknown option '--wrong'"],
    [['query', 'stray'], "Unexpected argument 'stray'. This command does not take positional arguments"],
    [['query', '--limit', '-1'], "Option '--limit' argument is ambiguous. Did you forget"],
    [['query', '--limit'], "Option '--limit <value>' argument missing"],
    [['export', '--directory', '.', '--format', 'xml'], '--format must be one of jsonl, ocsf, ecs, got xml'],
    [
      ['replay', '--directory', '.', '--to', 'nowhere'],
      '--to: url must be an http or https URL, got nowhere',
    ],
  ])('says in one line what is wrong with %j, and ends with 2', async (args, message) => {
    const { status, stdout, stderr } = await mcpAudit(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^mcp-audit: [^\n]+\nRun mcp-audit --help for usage\.\n$/u);
    expect(stderr).toContain(`mcp-audit: ${message}`);
  });

  it('ends with 0 when all is well, and with 1 when it found something', { timeout: 60_000 }, async () => {
    await using directory = await temporaryDirectory();
    const [trail, keys] = [join(directory.path, 'trail'), join(directory.path, 'keys')];
    await writeTrail(trail);
    for (const command of ['query', 'tail', 'export', 'verify']) {
      expect(await mcpAudit(command, '--directory', trail)).toMatchObject({ status: 0, stderr: '' });
    }
    const [file = ''] = await segmentFiles(trail);
    await writeFile(file, (await readFile(file, 'utf8')).replace('"success"', '"failure"'));
    for (const command of ['query', 'tail', 'export', 'verify', 'doctor']) {
      expect(await mcpAudit(command, '--directory', trail)).toMatchObject({ status: 1 });
    }
    await openPersonalKeys(keys);
    const forgotten = await mcpAudit('forget', '--keys', keys, '--actor', 'nobody');
    expect(forgotten).toEqual({ status: 1, stdout: 'There is no key for that actor.\n', stderr: '' });
  });

  it.runIf(platformFiles.hasModes).each([
    ['a pipe', (path: string) => promisify(execFile)('mkfifo', [path])],
    ['a directory', (path: string) => mkdir(path)],
    ['a device', (path: string) => symlink('/dev/zero', path)],
  ])('waits for nothing where a segment is %s, and says so', { timeout: 60_000 }, async (_what, make) => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path);
    const [file = ''] = await segmentFiles(directory.path);
    await rm(file);
    await make(file);
    for (const command of ['query', 'tail', 'export', 'verify']) {
      const { status, stderr } = await mcpAudit(command, '--directory', directory.path);
      expect({ command, status, stderr }).toEqual({
        command,
        status: 1,
        stderr: `mcp-audit: ${file} is not a regular file\n`,
      });
    }
    expect(await mcpAudit('doctor', '--directory', directory.path)).toMatchObject({ status: 1 });
  });

  it.runIf(platformFiles.hasModes).each([
    ['doctor', 'quarantine-x.jsonl', []],
    ['verify', 'x.json', ['--anchor']],
    ['verify', 'x.pem', ['--public-key']],
  ])(
    '%s waits for nothing where it finds a pipe as %s',
    { timeout: 60_000 },
    async (command, name, option) => {
      await using directory = await temporaryDirectory();
      await using found = await temporaryDirectory();
      await writeTrail(directory.path);
      const folder = option.length === 0 ? directory.path : found.path;
      await promisify(execFile)('mkfifo', [join(folder, name)]);
      const more = option.flatMap((one) => [one, folder]);
      const { status, stderr } = await mcpAudit(command, '--directory', directory.path, ...more);
      expect(status).toBeGreaterThan(0);
      expect(stderr).toContain(`${join(folder, name)} is not a regular file`);
    },
  );

  it.runIf(platformFiles.hasModes)('takes a pipe that somebody names', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path);
    const pipe = join(directory.path, 'keys.pem');
    await promisify(execFile)('mkfifo', [pipe]);
    const { publicKey } = generateKeyPairSync('ed25519');
    const written = writeFile(pipe, publicKey.export({ type: 'spki', format: 'pem' }));
    const verified = await mcpAudit('verify', '--directory', directory.path, '--public-key', pipe);
    await written;
    expect(verified.stderr).not.toContain('regular file');
  });

  it('says in one line why it failed', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path);
    const args = ['--directory', directory.path, '--public-key', join(directory.path, 'missing')];
    const { status, stderr } = await mcpAudit('verify', ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^mcp-audit: ENOENT: no such file [^\n]+\n$/u);
  });
});

describe('standard output', () => {
  const shell = (tail: string) =>
    new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve) => {
      const command = `"${process.execPath}" --conditions=@mcp-parts/source "${program}" --help ${tail}`;
      execFile('/bin/sh', ['-c', command], (_error, stdout, stderr) => resolve({ stdout, stderr }));
    });

  it.skipIf(process.platform === 'win32')('may be closed by its reader', async () => {
    expect(await shell('| true')).toEqual({ stdout: '', stderr: '' });
  });

  it.skipIf(process.platform !== 'linux')('that takes nothing is a failure', async () => {
    expect(await shell('> /dev/full; echo $?')).toEqual({
      stdout: '1\n',
      stderr: 'mcp-audit: standard output could not be written (ENOSPC)\n',
    });
  });
});
