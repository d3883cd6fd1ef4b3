/** What the demo prints once it is ready: where it is, how to connect, and two calls to try. */
export function instructions({
  endpoint,
  port,
  replicas,
  sandbox,
  node,
  stdioServer,
  stdioSettings,
  stateDirectory,
}) {
  const http = { mcpServers: { deployments: { type: 'http', url: endpoint } } };
  const stdio = {
    mcpServers: { deployments: { command: node, args: [`--env-file=${stdioSettings}`, stdioServer] } },
  };
  const env = port === '3000' ? '' : `PORT=${port} `;
  return `
The deployment server is ready: ${endpoint}
${replicas === undefined ? '' : `It is ${replicas.count} servers behind ${replicas.balancer}, which share a Redis: end one of them, and go on.\n`}It acts on a sandbox of services on this machine, so you can try everything.${sandbox === undefined ? ' --verbose says where they are, and how to break them.' : ''}

1. Connect a client over HTTP. Paste this into its configuration; it signs you in as "developer":

${indented(http)}

2. Or over stdio, where the client starts a server of its own:

${indented(stdio)}

3. Or by hand, in this folder and a second terminal (a POSIX shell; on Windows: Git Bash). A token for "developer" (also:
   release-manager, platform-owner, viewer), valid for an hour, a call that is allowed, and one that is denied, because a developer is not in
   the group production-deployers:

   TOKEN=$(${env}npm run --silent token developer)
${call(endpoint, 'check_deployment_prerequisites', { service: 'user-service', environment: 'staging', version: '3.8.5' })}
${call(endpoint, 'trigger_deployment', { service: 'user-service', environment: 'production', version: '3.8.5' })}

4. Read what was recorded of it, and check that nothing was changed since:

   npm run --silent trail -- query --directory ${stateDirectory}
   npm run --silent trail -- verify --directory ${stateDirectory}

5. Or look at it with the MCP Inspector, which npm fetches and which signs you in:

   npx @modelcontextprotocol/inspector --transport http --server-url ${endpoint}
${sandbox === undefined ? '' : services(sandbox)}
Ctrl-C stops it. With PORT=8080 npm start it listens on another port.
`;
}

/** Where the sandbox is, and its switches. */
function services({ identity, configuration, deployments, audit, control, directory }) {
  return `
The services of the sandbox:

   identity provider      ${identity}
   configuration service  ${configuration}
   deployment API         ${deployments}
   audit collector        ${audit}
   control                ${control}
   people and groups      ${directory}

Make the deployment API slow, and well again:

   curl -X PUT ${control}/faults/deployments -H 'content-type: application/json' -d '{"kind":"latency","ms":3000}'
   curl -X DELETE ${control}/faults/deployments
`;
}

function indented(configuration) {
  return JSON.stringify(configuration, null, 2).replaceAll(/^/gm, '   ');
}

function call(endpoint, name, toolArguments) {
  return `   npm run --silent call -- ${name} '${JSON.stringify(toolArguments)}' \\
     --url ${endpoint} --header "Authorization: Bearer $TOKEN"`;
}
