import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Target } from './clients.ts';
import { runToEnd } from './program.ts';

const launcher = join(
  dirname(fileURLToPath(import.meta.resolve('@modelcontextprotocol/inspector/package.json'))),
  'clients/launcher/build/index.js',
);

/**
 * What the MCP Inspector's command line prints for one method, parsed.
 *
 * @throws {Error} with what it wrote to standard error, when it fails
 */
export async function inspect(
  target: Target,
  options: {
    readonly era: 'legacy' | 'auto' | 'modern';
    /** As its command line takes them, for example `['--method', 'tools/list']`. */
    readonly args: readonly string[];
    /** Where it may keep its files. */
    readonly home: string;
  },
): Promise<unknown> {
  const server =
    'url' in target
      ? ['--server-url', target.url, '--transport', 'http', '--header', `Authorization: Bearer ${target.token}`]
      : [target.program.command, ...target.program.args, '--'];
  const { code, stdout, stderr } = await runToEnd(
    { command: process.execPath, args: [launcher, '--cli'] },
    {
      env: { PATH: process.env['PATH'] ?? '', HOME: options.home, ...('env' in target ? target.env : {}) },
      args: [...server, '--protocol-era', options.era, ...options.args],
    },
  );
  if (code !== 0) throw new Error(`the Inspector ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}
