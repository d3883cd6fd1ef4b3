#!/usr/bin/env node
import { parseArgs } from 'node:util';

import { users } from './identity/directory.ts';
import { userGrantType } from './identity/tokens.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { PortTakenError } from './wire/service-host.ts';

const ports = { identity: 43100, configuration: 43101, deployments: 43102, audit: 43103, control: 43104 };

const { values } = parseArgs({
  options: {
    state: { type: 'string' },
    'mcp-resource': { type: 'string', default: 'http://127.0.0.1:3000/mcp' },
  },
});
const mcpResource = values['mcp-resource'];

try {
  const sandbox = await startSandbox({
    ports,
    deploymentStepMs: 1500,
    mcpResource,
    ...(values.state === undefined ? {} : { stateDirectory: values.state }),
  });
  process.stdout.write(introduction(sandbox));
  const stop = (): void => {
    void sandbox.close();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  if (!(error instanceof PortTakenError)) throw error;
  process.stderr.write(`${error.message} Is another sandbox running?\n`);
  process.exitCode = 1;
}

function introduction({ urls, clients, directoryFile, stateDirectory }: Sandbox): string {
  return `The sandbox is running.

  identity provider      ${urls.identity}
  configuration service  ${urls.configuration}
  deployment API         ${urls.deployments}
  audit collector        ${urls.audit}
  control                ${urls.control}
  directory              ${directoryFile}
  client secrets         ${stateDirectory}/credentials.json

Get a user's token for the MCP server (users: ${users.map((user) => user.subject).join(', ')}):

  curl -s ${urls.identity}/token -d grant_type=${userGrantType} -d client_id=${clients.userTokens.clientId} \\
    -d user=developer -d resource=${mcpResource} -d scope='deploy:read deploy:development'

Make the deployment API slow, and well again:

  curl -X PUT ${urls.control}/faults/deployments -H 'content-type: application/json' -d '{"kind":"latency","ms":3000}'
  curl -X DELETE ${urls.control}/faults/deployments

Stop it with Ctrl+C.${stateDirectoryHint(values.state)}
`;
}

function stateDirectoryHint(state: string | undefined): string {
  return state === undefined
    ? ' Keys and secrets are then forgotten; start it with --state DIRECTORY to keep them.'
    : '';
}
