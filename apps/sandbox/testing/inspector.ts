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
    /** As on its command line, for example `--method tools/list`; no argument holds a space. */
    readonly args: string;
    /** Where it may keep its files. */
    readonly home: string;
  },
): Promise<unknown> {
  const server =
    'url' in target
      ? [
          '--server-url',
          target.url,
          '--transport',
          'http',
          '--header',
          `Authorization: Bearer ${target.token}`,
        ]
      : [
          target.program.command,
          ...target.program.args,
          '--',
          ...Object.entries(target.env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
        ];
  const { code, stdout, stderr } = await runToEnd(
    { command: process.execPath, args: [launcher, '--cli'] },
    {
      env: { HOME: options.home },
      args: [...server, '--protocol-era', options.era, ...options.args.split(' ')],
    },
  );
  if (code !== 0) {
    throw new Error(`the Inspector ended with ${code}: ${stderr}`);
  }
  return JSON.parse(stdout) as unknown;
}
