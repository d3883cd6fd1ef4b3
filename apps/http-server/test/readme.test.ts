import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { findService } from '@mcp-parts/test-services';
import { expect, it } from 'vitest';

import { commandsOf, missingOf, transcriptOf } from './page-commands.ts';

const README = '../../README.md';
const root = fileURLToPath(new URL('../../../', import.meta.url));
const hasShell =
  process.platform === 'linux' && findService({ program: 'bash', debianPackage: 'bash' }) !== undefined;

it.skipIf(!hasShell)(
  'the README: a token, a call that is allowed, one that is denied, and the trail of both, as it has them',
  { timeout: 120_000 },
  async () => {
    // Below where the system takes ports for connections.
    const port = 20_000 + Math.floor(Math.random() * 1_000) * 10;
    const environment = { ...process.env, PORT: String(port), SANDBOX_PORT: String(port + 1) };
    const here = (content: string): string =>
      content.replaceAll(':3000', `:${port}`).replaceAll('data/demo/', `data/demo-${port}/`);
    const demo = spawn(process.execPath, ['scripts/start.mjs'], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => demo.once('exit', resolve));
    try {
      const instructions = await linesUntil(createInterface(demo.stdout), 'Ctrl-C stops it.');
      const shell = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', here(await commandsOf(README))], {
        cwd: root,
        env: {
          ...environment,
          PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const printed = (await text(shell.stdout)).split('\n');
      const expected = (await transcriptOf(README)).map(here);

      expect(missingOf(expected, printed)).toEqual([]);
      // Nobody who tries it needs to know what is behind the server.
      const shown = instructions.flatMap((line) => line.match(/:(2\d{4})\b/gu) ?? []);
      expect(new Set(shown)).toEqual(new Set([`:${port}`]));
    } finally {
      demo.kill('SIGTERM');
      await ended;
      await rm(join(root, `data/demo-${port}`), { recursive: true, force: true });
    }
  },
);

async function linesUntil(lines: AsyncIterable<string>, last: string): Promise<string[]> {
  const read: string[] = [];
  for await (const line of lines) {
    read.push(line);
    if (line.startsWith(last)) {
      return read;
    }
  }
  throw new Error(`The demo ended after:\n${read.join('\n')}`);
}
