#!/usr/bin/env node
import { parseArgs } from 'node:util';

import manifest from '../package.json' with { type: 'json' };
import { introduction } from './introduction.ts';
import { startSandbox } from './sandbox.ts';
import { PortTakenError } from './wire/service-host.ts';

const ports = { identity: 43100, configuration: 43101, deployments: 43102, audit: 43103, control: 43104 };

const help = `${manifest.description}

Usage: mcp-sandbox [options]

Options
  --mcp-resource <url>  URL of the MCP server that users get tokens for (default: http://127.0.0.1:3000/mcp)
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
  await run(options['mcp-resource'], options.state);
}

function parseArguments() {
  try {
    return parseArgs({
      options: {
        state: { type: 'string' },
        'mcp-resource': { type: 'string', default: 'http://127.0.0.1:3000/mcp' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    process.stderr.write(`mcp-sandbox: ${problem}\nTry mcp-sandbox --help.\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function run(mcpResource: string, stateDirectory: string | undefined): Promise<void> {
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
