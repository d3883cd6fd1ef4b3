/** What the demo prints once it is ready: where it is, how to connect, and two calls to try. */
export function instructions({
  endpoint,
  replicas,
  issuer,
  directory,
  control,
  tokenClientId,
  node,
  stdioServer,
  stdioSettings,
  auditCommand,
  stateDirectory,
}) {
  const http = { mcpServers: { deployments: { type: 'http', url: endpoint } } };
  const stdio = {
    mcpServers: { deployments: { command: node, args: [`--env-file=${stdioSettings}`, stdioServer] } },
  };
  return `
The deployment server is ready: ${endpoint}
${replicas === undefined ? '' : `It is ${replicas.count} servers behind ${replicas.balancer}, which share a Redis: end one of them, and go on.\n`}It acts on a sandbox of services on this machine, so you can try everything.
Groups come from ${directory}

1. Connect a client over HTTP. Paste this into its configuration; it signs you in as "developer":

${indented(http)}

2. Or over stdio, where the client starts a server of its own:

${indented(stdio)}

3. Or by hand, in a POSIX shell (on Windows: Git Bash). Get a token for "developer" (also: release-manager, viewer); it is valid for an hour:

   TOKEN=$(curl -s ${issuer}/token -d grant_type=urn:mcp-parts:sandbox:user \\
     -d client_id=${tokenClientId} -d user=developer -d resource=${endpoint} \\
     -d 'scope=deploy:read deploy:staging deploy:production' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

   A call that is allowed:

${call(endpoint, 'check_deployment_prerequisites', { service: 'user-service', environment: 'staging', version: '3.8.5' })}

   A call that is denied, because a developer is not in the group production-deployers:

${call(endpoint, 'trigger_deployment', { service: 'user-service', environment: 'production', version: '3.8.5' })}

4. Break something: make the deployment API slow, and well again.

   curl -X PUT ${control}/faults/deployments -H 'content-type: application/json' -d '{"kind":"latency","ms":3000}'
   curl -X DELETE ${control}/faults/deployments

5. Read what was recorded of it, and check that nothing was changed since:

   "${node}" "${auditCommand}" query --directory "${stateDirectory}"
   "${node}" "${auditCommand}" verify --directory "${stateDirectory}"

6. Or look at it with the MCP Inspector, which npm fetches:

   npx @modelcontextprotocol/inspector --transport http --server-url ${endpoint}

Ctrl-C stops it. With PORT=8080 npm start it listens on another port.
`;
}

function indented(configuration) {
  return JSON.stringify(configuration, null, 2).replaceAll(/^/gm, '   ');
}

/** A tool call of the stateless 2026-07-28 revision: one request, without a session before it. */
function call(endpoint, name, toolArguments) {
  const version = '2026-07-28';
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name,
      arguments: toolArguments,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': version,
        'io.modelcontextprotocol/clientInfo': { name: 'curl', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  return `   curl -s ${endpoint} -H "Authorization: Bearer $TOKEN" \\
     -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
     -H 'MCP-Protocol-Version: ${version}' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: ${name}' \\
     -d '${JSON.stringify(body)}'`;
}
