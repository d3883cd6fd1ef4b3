import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../src/mcp-auth.ts', import.meta.url));
const manifest = new URL('../package.json', import.meta.url);

/** Runs the command as a process, as an operator's shell does. */
function run(...argv: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--no-warnings', program, ...argv], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

let folder: string;
let policy: string;
let directory: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-auth-'));
  policy = join(folder, 'policy.yaml');
  directory = join(folder, 'directory.yaml');
  await writeFile(
    policy,
    "version: 1\npermissions: ['logs:read']\ngroups: [platform]\ngrants: [{ group: platform, allow: ['logs:read'] }]\n...\n",
  );
  await writeFile(
    directory,
    'version: 1\nusers:\n  https://idp.test#alice: { groups: [platform] }\n  https://idp.test#bob: { groups: [] }\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

const usage = `Usage: mcp-auth <command> [options]

Answers questions of operators about who may do what.

Commands:
  check <policy>  Checks a policy, and whether the groups of a directory fit it.
  explain         Says why a user or a service is allowed or denied a permission.
  review          Lists everybody's permissions and the rule behind each, as CSV.

Options:
  -h, --help     Show this text, or that of a command: mcp-auth <command> --help
      --version  Show the version

Exit status:
  0  done
  1  check: a policy or directory that does not start, or something that is probably not meant; explain: it is denied
  2  wrong usage, or a file that cannot be used
`;

describe('mcp-auth as a process', () => {
  it.each(['-h', '--help'])('shows its usage with %s', async (option) => {
    expect(await run(option)).toEqual({ code: 0, stdout: usage, stderr: '' });
  });

  it('shows its usage on standard error without arguments', async () => {
    expect(await run()).toEqual({ code: 2, stdout: '', stderr: usage });
  });

  it('shows the version of the package', async () => {
    const { version } = JSON.parse(await readFile(manifest, 'utf8'));
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each(['check', 'explain', 'review'])('shows the usage of %s', async (command) => {
    const { code, stdout, stderr } = await run(command, '--help');
    expect(stdout).toMatch(
      new RegExp(`^Usage: mcp-auth ${command}.* \\[options\\]\\n\\n.+\\n\\nOptions:\\n`),
    );
    expect(stdout).toMatch(/\nExit status:\n {2}0 {2}done\n {2}1 {2}.+\n {2}2 {2}wrong usage.*\n$/);
    expect([code, stderr]).toEqual([0, '']);
    expect(await run(command, '-h')).toEqual({ code, stdout, stderr });
  });

  it.each([
    [['delete'], 'unknown command "delete"'],
    [['--verbose'], 'unknown command "--verbose"'],
    [['check'], 'a policy file is required'],
    [['check', 'a.yaml', 'b.yaml'], 'unexpected argument "b.yaml"'],
    [['review', '--user', 'alice'], "Unknown option '--user'"],
    [['explain', '--policy'], "Option '--policy <value>' argument missing"],
    [['explain', '--policy', '/nowhere/policy.yaml', '--permission', 'x'], 'ENOENT'],
  ])('refuses %j with one line', async (argv, problem) => {
    const { code, stdout, stderr } = await run(...argv);
    expect(stderr).toMatch(/^mcp-auth: [^\n]+\nRun mcp-auth --help for usage\.\n$/);
    expect(stderr).toContain(problem);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('ends with 0 when it is done and with 1 when it found something', async () => {
    const explain = ['explain', '--policy', policy, '--directory', directory, '--permission', 'logs:read'];
    const results = [
      await run('check', policy),
      await run('check', policy, '--directory', directory),
      await run(...explain, '--user', 'alice'),
      await run(...explain, '--user', 'bob'),
      await run('review', '--policy', policy, '--directory', directory),
      await run('check', directory),
    ];
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 1, 0, 1]);
    expect(results.map(({ stderr }) => stderr).join('')).toBe('');
  });
});

describe('standard output', () => {
  const shell = (tail: string) =>
    new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve) => {
      const command = `"${process.execPath}" --no-warnings "${program}" --help ${tail}`;
      execFile('/bin/sh', ['-c', command], (_error, stdout, stderr) => resolve({ stdout, stderr }));
    });

  it.skipIf(process.platform === 'win32')('may be closed by its reader', async () => {
    expect(await shell('| true')).toEqual({ stdout: '', stderr: '' });
  });

  it.skipIf(process.platform !== 'linux')('that takes nothing is a failure', async () => {
    expect(await shell('> /dev/full; echo $?')).toEqual({
      stdout: '1\n',
      stderr: 'mcp-auth: standard output could not be written (ENOSPC)\n',
    });
  });
});
