import { users } from './identity/directory.ts';
import { userGrantType } from './identity/tokens.ts';
import type { Sandbox } from './sandbox.ts';

/** What a person reads who has started the sandbox. */
export function introduction(
  { urls, clients, directoryFile, stateDirectory }: Sandbox,
  { mcpResource, keepsState }: { readonly mcpResource: string; readonly keepsState: boolean },
): string {
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

Stop it with Ctrl+C.${
    keepsState ? '' : ' Keys and secrets are then forgotten; start it with --state DIRECTORY to keep them.'
  }
`;
}
