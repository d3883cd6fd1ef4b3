import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import type { Target } from './clients.ts';
import { runToEnd } from './program.ts';

const launcher = join(
  dirname(fileURLToPath(import.meta.resolve('@modelcontextprotocol/inspector/package.json'))),
  'clients/launcher/build/index.js',
);

/** Declares the tests of what a developer does with the MCP Inspector's command line; `home` is where it keeps its files. */
export function testInspector(
  place: () => Promise<{ readonly target: Target; readonly home: string }>,
): void {
  describe.concurrent('the command line of the MCP Inspector', { timeout: 120_000 }, () => {
    const run = async (era: 'legacy' | 'modern', args: string) => inspect(await place(), { era, args });

    it.for(['legacy', 'modern'] as const)('lists the tools in the %s era', async (era) => {
      await expect(run(era, '--method tools/list')).resolves.toMatchObject({
        tools: expect.arrayContaining([expect.objectContaining({ name: 'trigger_deployment' })]),
      });
    });

    it('calls a tool, reads the resource and gets the prompt', async () => {
      const target = 'service=user-service version=3.9.0 environment=staging';
      await expect(
        run('legacy', `--method tools/call --tool-name check_deployment_prerequisites --tool-arg ${target}`),
      ).resolves.toMatchObject({ structuredContent: { ready: true } });
      await expect(
        run('modern', '--method resources/read --uri deployment://config/user-service/staging'),
      ).resolves.toMatchObject({ contents: [{ text: expect.stringContaining('"version":"3.8.4"') }] });
      const prompt = `--method prompts/get --prompt-name deploy_safely --prompt-args ${target}`;
      for (const era of ['legacy', 'modern'] as const) {
        // oxlint-disable-next-line no-await-in-loop -- One program at a time.
        await expect(run(era, prompt)).resolves.toMatchObject({
          messages: [{ content: { text: expect.stringContaining('user-service') } }],
        });
      }
    });

    it('deploys to staging', async () => {
      const target = 'service=shipping-service version=2.2.0 environment=staging';
      // It knows tasks, and follows this one to its result.
      await expect(
        run('modern', `--method tools/call --tool-name trigger_deployment --tool-arg ${target}`),
      ).resolves.toMatchObject({
        structuredContent: { service: 'shipping-service', version: '2.2.0', environment: 'staging' },
      });
    });
  });
}

/**
 * What the MCP Inspector's command line prints for one method, parsed.
 *
 * @throws {Error} with what it wrote to standard error, when it fails
 */
export async function inspect(
  { target, home }: { readonly target: Target; readonly home: string },
  options: {
    readonly era: 'legacy' | 'modern';
    /** As on its command line, for example `--method tools/list`; no argument holds a space. */
    readonly args: string;
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
      env: { HOME: home },
      args: [...server, '--protocol-era', options.era, ...options.args.split(' ')],
    },
  );
  if (code !== 0) {
    throw new Error(`the Inspector ended with ${code}: ${stderr}`);
  }
  return JSON.parse(stdout) as unknown;
}
