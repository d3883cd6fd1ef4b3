import { join } from 'node:path';

import { UsageError } from '../cli/command.ts';
import type { Addition, ClientFormat, Places, ServerEntry } from './entry.ts';

/** How each client wants a server, by the name that `--client` takes. */
export const clientFormats: ReadonlyMap<string, ClientFormat> = new Map<string, ClientFormat>([
  [
    'claude-desktop',
    {
      title: 'Claude Desktop',
      paths: { user: (places) => join(appData(places), 'Claude', 'claude_desktop_config.json') },
      syntax: 'json',
      additions: (entry) => [{ path: ['mcpServers', entry.name], value: claudeDesktop(entry) }],
      next: ({ server }) =>
        server.kind === 'http' && server.tokenFrom !== undefined
          ? `Put "Bearer " and the token in place of the text in AUTH_HEADER yourself, keep the file to yourself, and restart Claude Desktop.`
          : 'Restart Claude Desktop.',
    },
  ],
  [
    'claude-code',
    {
      title: 'Claude Code',
      paths: {
        user: ({ home }) => join(home, '.claude.json'),
        project: ({ directory }) => join(directory, '.mcp.json'),
      },
      syntax: 'json',
      additions: (entry) => [
        { path: ['mcpServers', entry.name], value: typed(entry, 'stdio', 'http', (name) => `\${${name}}`) },
      ],
      next: ({ name, server }) =>
        server.kind === 'http' && server.tokenFrom === undefined
          ? `Sign in, where the server asks for it: claude mcp login ${name}. A project's file asks for approval once.`
          : "A project's file asks for approval once.",
    },
  ],
  [
    'cursor',
    {
      title: 'Cursor',
      paths: {
        user: ({ home }) => join(home, '.cursor', 'mcp.json'),
        project: ({ directory }) => join(directory, '.cursor', 'mcp.json'),
      },
      syntax: 'json',
      additions: (entry) => [
        { path: ['mcpServers', entry.name], value: plain(entry, 'url', (name) => `\${env:${name}}`) },
      ],
      next: () => 'Switch the server on in the settings of Cursor.',
    },
  ],
  [
    'vscode',
    {
      title: 'VS Code',
      paths: {
        user: (places) => join(appData(places), 'Code', 'User', 'mcp.json'),
        project: ({ directory }) => join(directory, '.vscode', 'mcp.json'),
      },
      syntax: 'json',
      additions: vsCode,
      next: () =>
        'Start the server from the list of MCP servers; VS Code asks for the secrets and keeps them.',
    },
  ],
  [
    'windsurf',
    {
      title: 'Windsurf',
      paths: { user: ({ home }) => join(home, '.codeium', 'windsurf', 'mcp_config.json') },
      syntax: 'json',
      additions: (entry) => [
        { path: ['mcpServers', entry.name], value: plain(entry, 'serverUrl', (name) => `\${env:${name}}`) },
      ],
      next: () => 'Refresh the MCP servers in the settings of Windsurf.',
    },
  ],
  [
    'codex',
    {
      title: 'Codex',
      paths: {
        user: ({ home }) => join(home, '.codex', 'config.toml'),
        project: ({ directory }) => join(directory, '.codex', 'config.toml'),
      },
      syntax: 'toml',
      additions: (entry) => [{ path: ['mcp_servers', entry.name], value: codex(entry) }],
      next: ({ name, server }) =>
        server.kind === 'http' && server.tokenFrom === undefined
          ? `Sign in, where the server asks for it: codex mcp login ${name}.`
          : "A project's file counts in a trusted folder alone.",
    },
  ],
  [
    'gemini',
    {
      title: 'Gemini CLI',
      paths: {
        user: ({ home }) => join(home, '.gemini', 'settings.json'),
        project: ({ directory }) => join(directory, '.gemini', 'settings.json'),
      },
      syntax: 'json',
      additions: (entry) => [
        { path: ['mcpServers', entry.name], value: typed(entry, undefined, 'http', (name) => `\${${name}}`) },
      ],
      next: () =>
        'In a folder that you do not trust, Gemini CLI starts no server on stdio. Sign in with /mcp auth.',
    },
  ],
  [
    'opencode',
    {
      title: 'OpenCode',
      paths: {
        user: ({ home }) => join(home, '.config', 'opencode', 'opencode.json'),
        project: ({ directory }) => join(directory, 'opencode.json'),
      },
      syntax: 'json',
      additions: (entry) => [{ path: ['mcp', entry.name], value: openCode(entry) }],
      next: ({ name, server }) =>
        server.kind === 'http' && server.tokenFrom === undefined
          ? `Sign in, where the server asks for it: opencode mcp auth ${name}.`
          : 'Look whether it is there: opencode mcp list.',
    },
  ],
]);

type Reference = (variable: string) => string;

function appData({ home, platform }: Places): string {
  if (platform === 'win32') {
    return join(home, 'AppData', 'Roaming');
  }
  return platform === 'darwin' ? join(home, 'Library', 'Application Support') : join(home, '.config');
}

/** `command`, `args`, `env`; a URL under a key of the client's own. */
function plain({ server }: ServerEntry, urlKey: string, reference: Reference): object {
  if (server.kind === 'http') {
    return { [urlKey]: server.url, ...headersOf(server.tokenFrom, reference) };
  }
  const env = { ...server.env, ...Object.fromEntries(server.envFrom.map((name) => [name, reference(name)])) };
  return {
    command: server.command,
    args: server.args,
    ...(Object.keys(env).length > 0 && { env }),
  };
}

/** The same with a type: without one, some clients skip a URL. */
function typed(entry: ServerEntry, stdio: string | undefined, http: string, reference: Reference): object {
  const type = entry.server.kind === 'http' ? http : stdio;
  return { ...(type !== undefined && { type }), ...plain(entry, 'url', reference) };
}

function headersOf(tokenFrom: string | undefined, reference: Reference) {
  return tokenFrom === undefined ? {} : { headers: { Authorization: `Bearer ${reference(tokenFrom)}` } };
}

/** It has no remote servers in its file, and no way to refer to a variable. */
function claudeDesktop(entry: ServerEntry): object {
  const { server } = entry;
  if (server.kind === 'http') {
    const isLocal = server.url.startsWith('http:');
    return {
      command: 'npx',
      args: [
        '-y',
        'mcp-remote',
        server.url,
        ...(isLocal ? ['--allow-http'] : []),
        ...(server.tokenFrom === undefined ? [] : ['--header', 'Authorization:${AUTH_HEADER}']),
      ],
      ...(server.tokenFrom !== undefined && {
        env: { AUTH_HEADER: `(the value of ${server.tokenFrom}, after "Bearer ")` },
      }),
    };
  }
  const [needed] = server.envFrom;
  if (needed !== undefined) {
    throw new UsageError(
      `Claude Desktop cannot refer to ${needed}: read it from a file, such as with ${needed}_FILE, or start the server by a script`,
    );
  }
  return plain(entry, 'url', (name) => name);
}

/** It asks for secrets once and keeps them encrypted. */
function vsCode(entry: ServerEntry): readonly Addition[] {
  const { name, server } = entry;
  const needed = server.kind === 'http' ? [server.tokenFrom ?? ''].filter(Boolean) : server.envFrom;
  return [
    { path: ['servers', name], value: typed(entry, 'stdio', 'http', (variable) => `\${input:${variable}}`) },
    ...needed.map((id) => ({
      path: ['inputs'],
      value: { type: 'promptString', id, description: `${id} of ${name}`, password: true },
      isItem: true,
    })),
  ];
}

/** It replaces no variables in values, and drops keys that it does not know. */
function codex({ server }: ServerEntry): object {
  return server.kind === 'http'
    ? { url: server.url, ...(server.tokenFrom !== undefined && { bearer_token_env_var: server.tokenFrom }) }
    : {
        command: server.command,
        args: server.args,
        ...(server.envFrom.length > 0 && { env_vars: server.envFrom }),
        ...(Object.keys(server.env).length > 0 && { env: server.env }),
      };
}

function openCode({ server }: ServerEntry): object {
  const reference: Reference = (name) => `{env:${name}}`;
  if (server.kind === 'http') {
    return { type: 'remote', url: server.url, enabled: true, ...headersOf(server.tokenFrom, reference) };
  }
  const environment = {
    ...server.env,
    ...Object.fromEntries(server.envFrom.map((name) => [name, reference(name)])),
  };
  return {
    type: 'local',
    command: [server.command, ...server.args],
    enabled: true,
    ...(Object.keys(environment).length > 0 && { environment }),
  };
}
