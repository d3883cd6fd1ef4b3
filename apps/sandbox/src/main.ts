#!/usr/bin/env node
import { parseArgs } from 'node:util';

import manifest from '../package.json' with { type: 'json' };
import { introduction } from './introduction.ts';
import { startSandbox } from './sandbox.ts';
import { PortTakenError } from './wire/service-host.ts';

const FIRST_PORT = 43_100;
const MAX_FIRST_PORT = 65_531;

const help = `${manifest.description}

Usage: mcp-sandbox [options]

Options
  --mcp-resource <url>  URL of the MCP server that users get tokens for (default: http://127.0.0.1:3000/mcp)
  --port <n>            First of its five ports, from 1 to ${MAX_FIRST_PORT} (default: ${FIRST_PORT})
  --state <directory>   Keeps keys and secrets there for the next start.
  -h, --help            Shows this text.
  --version             Shows the version.

Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

const options = parseArguments();
if (options?.help === true) {
  process.stdout.write(help);
} else if (options?.version === true) {
  process.stdout.write(`${manifest.version}\n`);
} else if (options !== undefined) {
  await run(options);
}

function parseArguments() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: String(FIRST_PORT) },
        state: { type: 'string' },
        'mcp-resource': { type: 'string', default: 'http://127.0.0.1:3000/mcp' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    });
    return { ...values, port: portOf(values.port) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    process.stderr.write(`mcp-sandbox: ${problem}\nTry mcp-sandbox --help.\n`);
    process.exitCode = 2;
    return undefined;
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^[1-9]\d*$/u.test(text) || port > MAX_FIRST_PORT) {
    throw new RangeError(`--port must be a number from 1 to ${MAX_FIRST_PORT}, got ${JSON.stringify(text)}.`);
  }
  return port;
}

async function run(options: {
  readonly port: number;
  readonly 'mcp-resource': string;
  readonly state?: string | undefined;
}): Promise<void> {
  const { port, 'mcp-resource': mcpResource, state: stateDirectory } = options;
  const ports = {
    identity: port,
    configuration: port + 1,
    deployments: port + 2,
    audit: port + 3,
    control: port + 4,
  };
  try {
    const sandbox = await startSandbox({ ports, deploymentStepMs: 1500, mcpResource, stateDirectory });
    process.stdout.write(introduction(sandbox, { mcpResource, keepsState: stateDirectory !== undefined }));
    const stop = (): void => {
      void sandbox.close();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  } catch (error) {
    if (!(error instanceof PortTakenError)) {
      throw error;
    }
    process.stderr.write(`${error.message} Is another sandbox running?\n`);
    process.exitCode = 1;
  }
}
