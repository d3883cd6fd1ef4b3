import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { findService } from '@mcp-parts/test-services';
import { expect, it } from 'vitest';

import { commandsOf, missingOf, transcriptOf } from './page-commands.ts';

const PAGE = 'first-day.md';
const root = fileURLToPath(new URL('../../../', import.meta.url));
const debianPackages = {
  curl: 'curl',
  openssl: 'openssl',
  nginx: 'nginx-light',
  'redis-server': 'redis-server',
  prometheus: 'prometheus',
  promtool: 'prometheus',
};
const programs = Object.entries(debianPackages).map(([program, debianPackage]) =>
  findService({ program, debianPackage }),
);
const hasPrograms = !programs.includes(undefined) && process.platform === 'linux';

/** The page with ports that are free here: its own may belong to somebody's demo. */
function withPorts(content: string, first: number): string {
  // All below where the system takes ports for connections, and ten of them for what the page numbers.
  const moves: readonly (readonly [RegExp, string])[] = [
    [/\b300(?=[123]\b|\$)/gu, String(first / 10)],
    [/\b947(?=[123]\b|\$)/gu, String(first / 10 + 1)],
    [/\b4310(?=[0-4]\b)/gu, String(first / 10 + 2)],
    [/\b3000\b/gu, String(first + 30)],
    [/\b6380\b/gu, String(first + 31)],
    [/\b9090\b/gu, String(first + 32)],
  ];
  return moves.reduce((moved, [from, to]) => moved.replaceAll(from, to), content);
}

/** The page with the sources of programs, where this Node.js runs them: what was built may be older. */
function withSources(commands: string): string {
  return Number.parseInt(process.versions.node, 10) < 24
    ? commands
    : commands.replaceAll(/(\S+)\/dist\/([\w-]+)\.js/gu, '--conditions=@mcp-parts/source $1/src/$2.ts');
}

it.skipIf(!hasPrograms)(
  'first-day: three replicas, an alert and its runbook, and everything back, as the page has it',
  { timeout: 400_000 },
  async () => {
    const work = await mkdtemp(join(tmpdir(), 'mcp-first-day-'));
    const first = 20_000 + Math.floor(Math.random() * 300) * 40;
    try {
      const demo = join(root, 'deploy/demo');
      await mkdir(join(work, 'demo'));
      for (const entry of await readdir(demo, { withFileTypes: true })) {
        if (entry.isFile()) {
          const content = await readFile(join(demo, entry.name), 'utf8');
          await writeFile(join(work, 'demo', entry.name), withPorts(content, first));
        }
      }
      const commands = withSources(withPorts(await commandsOf(PAGE), first)).replaceAll(
        'deploy/demo/',
        `${work}/demo/`,
      );
      const shell = spawn('bash', ['--norc', '-euxo', 'pipefail', '-c', commands], {
        cwd: root,
        // A group of its own, so that nothing is left of it whatever happens.
        detached: true,
        env: {
          PATH: [dirname(process.execPath), process.env['PATH'], '/usr/sbin'].join(':'),
          WORK: join(work, 'of the day'),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      try {
        const [stdout, stderr, status] = await Promise.all([
          text(shell.stdout),
          text(shell.stderr),
          new Promise<number | null>((resolve) => shell.once('close', resolve)),
        ]);
        expect({ status, failure: status === 0 ? '' : stderr.slice(-4_000) }).toEqual({
          status: 0,
          failure: '',
        });
        const expected = (await transcriptOf(PAGE)).map((line) => withPorts(line, first));
        expect(missingOf(expected, stdout.split('\n'))).toEqual([]);
      } finally {
        endGroup(shell.pid);
      }
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
);

function endGroup(pid: number | undefined): void {
  try {
    process.kill(-(pid ?? Number.NaN), 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
