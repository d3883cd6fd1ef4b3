import { lstat, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { getNodeValue, parseTree } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';

import { runTools, temporaryFolder } from './run-tools.ts';

const http = ['--name', 'texts', '--url', 'https://texts.example.org/mcp'];
const withToken = [...http, '--token-from', 'TEXTS_TOKEN'];
const stdio = ['--name', 'texts', '--env', 'LOG_LEVEL=warn', '--env-from', 'TEXTS_TOKEN'];
const command = ['--command', 'node', 'server.js', '--quiet'];

/** The document that is shown for one client. */
async function shown(client: string, args: readonly string[]): Promise<string> {
  const { out, exitStatus } = await runTools(['connect', '--client', client, ...args]);
  expect(exitStatus).toBe(0);
  return out.replaceAll(/^#.*\n/gmu, '').trim();
}

describe('mcp-tools connect shows', () => {
  it.each<[string, object]>([
    [
      'claude-code',
      {
        mcpServers: {
          texts: {
            type: 'http',
            url: 'https://texts.example.org/mcp',
            headers: { Authorization: 'Bearer ${TEXTS_TOKEN}' },
          },
        },
      },
    ],
    [
      'cursor',
      {
        mcpServers: {
          texts: {
            url: 'https://texts.example.org/mcp',
            headers: { Authorization: 'Bearer ${env:TEXTS_TOKEN}' },
          },
        },
      },
    ],
    [
      'vscode',
      {
        servers: {
          texts: {
            type: 'http',
            url: 'https://texts.example.org/mcp',
            headers: { Authorization: 'Bearer ${input:TEXTS_TOKEN}' },
          },
        },
        inputs: [
          { type: 'promptString', id: 'TEXTS_TOKEN', description: 'TEXTS_TOKEN of texts', password: true },
        ],
      },
    ],
    [
      'windsurf',
      {
        mcpServers: {
          texts: {
            serverUrl: 'https://texts.example.org/mcp',
            headers: { Authorization: 'Bearer ${env:TEXTS_TOKEN}' },
          },
        },
      },
    ],
    [
      'gemini',
      {
        mcpServers: {
          texts: {
            type: 'http',
            url: 'https://texts.example.org/mcp',
            headers: { Authorization: 'Bearer ${TEXTS_TOKEN}' },
          },
        },
      },
    ],
    [
      'opencode',
      {
        mcp: {
          texts: {
            type: 'remote',
            url: 'https://texts.example.org/mcp',
            enabled: true,
            headers: { Authorization: 'Bearer {env:TEXTS_TOKEN}' },
          },
        },
      },
    ],
    [
      'claude-desktop',
      {
        mcpServers: {
          texts: {
            command: 'npx',
            args: [
              '-y',
              'mcp-remote',
              'https://texts.example.org/mcp',
              '--header',
              'Authorization:${AUTH_HEADER}',
            ],
            env: { AUTH_HEADER: '(the value of TEXTS_TOKEN, after "Bearer ")' },
          },
        },
      },
    ],
  ])('%s a server over HTTP, and never a token', async (client, document) => {
    expect(JSON.parse(await shown(client, withToken))).toEqual(document);
  });

  it.each<[string, object]>([
    [
      'claude-code',
      {
        mcpServers: {
          texts: {
            type: 'stdio',
            command: '/usr/bin/node',
            args: ['server.js', '--quiet'],
            env: { LOG_LEVEL: 'warn', TEXTS_TOKEN: '${TEXTS_TOKEN}' },
          },
        },
      },
    ],
    [
      'vscode',
      {
        servers: {
          texts: {
            type: 'stdio',
            command: '/usr/bin/node',
            args: ['server.js', '--quiet'],
            env: { LOG_LEVEL: 'warn', TEXTS_TOKEN: '${input:TEXTS_TOKEN}' },
          },
        },
        inputs: [
          { type: 'promptString', id: 'TEXTS_TOKEN', description: 'TEXTS_TOKEN of texts', password: true },
        ],
      },
    ],
    [
      'opencode',
      {
        mcp: {
          texts: {
            type: 'local',
            command: ['/usr/bin/node', 'server.js', '--quiet'],
            enabled: true,
            environment: { LOG_LEVEL: 'warn', TEXTS_TOKEN: '{env:TEXTS_TOKEN}' },
          },
        },
      },
    ],
  ])('%s a server on stdio, started by this Node', async (client, document) => {
    expect(JSON.parse(await shown(client, [...stdio, ...command]))).toEqual(document);
  });

  it('Codex its table, without keys that it would drop', async () => {
    expect(await shown('codex', withToken)).toBe(
      '[mcp_servers.texts]\nurl = "https://texts.example.org/mcp"\nbearer_token_env_var = "TEXTS_TOKEN"',
    );
    expect(await shown('codex', [...stdio, ...command])).toBe(
      '[mcp_servers.texts]\ncommand = "/usr/bin/node"\nargs = ["server.js", "--quiet"]\nenv_vars = ["TEXTS_TOKEN"]\nenv = { "LOG_LEVEL" = "warn" }',
    );
  });

  it('all clients, each with its file', async () => {
    const { out } = await runTools(['connect', ...http]);
    for (const path of [
      '.claude.json',
      '.cursor/mcp.json',
      'Code/User/mcp.json',
      'mcp_config.json',
      'config.toml',
      '.gemini/settings.json',
      'opencode.json',
      'claude_desktop_config.json',
    ]) {
      expect(out).toContain(path);
    }
  });

  it.each<[string, NodeJS.Platform, string]>([
    ['win32', 'win32', join('AppData', 'Roaming', 'Claude')],
    ['darwin', 'darwin', join('Library', 'Application Support', 'Claude')],
  ])('the place on %s', async (_name, platform, place) => {
    const { out } = await runTools(['connect', '--client', 'claude-desktop', ...http], { platform });
    expect(out).toContain(place);
  });
});

describe('mcp-tools connect refuses', () => {
  it.each([
    [['--client', 'emacs', ...http], '--client must be one of'],
    [['--client', 'cursor', '--name', 'My Server', '--url', 'https://x.org'], '--name must have'],
    [['--write', ...http], '--write needs --client'],
    [['--client', 'cursor', '--scope', 'world', ...http], '--scope must be'],
    [['--client', 'cursor', ...http, '--header', 'Authorization: Bearer x'], '--token-from'],
    [['--client', 'cursor', '--name', 'x', '--env', 'API_TOKEN=abc', ...command], '--env-from API_TOKEN'],
    [['--client', 'windsurf', '--scope', 'project', ...http], 'no configuration of a project'],
  ])('%j', async (args, message) => {
    const { exitStatus, err } = await runTools(['connect', ...args]);
    expect(exitStatus).toBe(2);
    expect(err).toContain(message);
  });
});

describe('mcp-tools connect --write', () => {
  const write = (home: string, client: string, ...more: string[]) =>
    runTools(['connect', '--client', client, '--write', ...more, ...http], { home });

  it('adds to what is there, comments and other entries included, and keeps a copy', async () => {
    const home = await temporaryFolder();
    const path = join(home, '.claude.json');
    const before =
      '{\n  // mine\n  "theme": "dark",\n  "mcpServers": {\n    "other": { "command": "other" },\n  },\n}\n';
    await writeFile(path, before);

    expect(await write(home, 'claude-code')).toMatchObject({ exitStatus: 0 });
    const after = await readFile(path, 'utf8');
    expect(after).toContain('// mine\n  "theme": "dark"');
    expect(getNodeValue(parseTree(after, [], { allowTrailingComma: true })!)).toEqual({
      theme: 'dark',
      mcpServers: {
        other: { command: 'other' },
        texts: { type: 'http', url: 'https://texts.example.org/mcp' },
      },
    });
    expect(await readFile(`${path}.before-mcp-tools`, 'utf8')).toBe(before);
  });

  it('never touches an entry of the same name, unless it is told to', async () => {
    const home = await temporaryFolder();
    await write(home, 'cursor');
    const path = join(home, '.cursor', 'mcp.json');
    await writeFile(path, '{"mcpServers":{"texts":{"command":"mine"}}}');

    expect(await write(home, 'cursor')).toMatchObject({
      exitStatus: 1,
      out: expect.stringContaining('already'),
    });
    expect(await readFile(path, 'utf8')).toContain('mine');
    expect(await write(home, 'cursor', '--replace')).toMatchObject({ exitStatus: 0 });
    expect(await readFile(path, 'utf8')).not.toContain('mine');
  });

  it('leaves a file alone that it cannot read', async () => {
    const home = await temporaryFolder();
    const path = join(home, '.claude.json');
    await writeFile(path, '{ "mcpServers": ');

    expect(await write(home, 'claude-code')).toMatchObject({
      exitStatus: 1,
      out: expect.stringContaining('left as it is'),
    });
    expect(await readFile(path, 'utf8')).toBe('{ "mcpServers": ');
  });

  it('leaves a file alone whose bytes are no UTF-8, and keeps a byte order mark', async () => {
    const home = await temporaryFolder();
    const path = join(home, '.claude.json');
    const bytes = Buffer.from('{ "who": "Andr\u00e9" }', 'latin1');
    await writeFile(path, bytes);
    expect(await write(home, 'claude-code')).toMatchObject({
      exitStatus: 1,
      out: expect.stringContaining('not UTF-8'),
    });
    expect(await readFile(path)).toEqual(bytes);

    await writeFile(path, '\ufeff{ "theme": "dark" }');
    expect(await write(home, 'claude-code')).toMatchObject({ exitStatus: 0 });
    expect(await readFile(path, 'utf8')).toMatch(/^\ufeff\{\s+"theme": "dark",/u);
  });

  it.skipIf(process.platform === 'win32')('writes where a link leads, and leaves the link', async () => {
    const home = await temporaryFolder();
    await writeFile(join(home, 'shared.json'), '{}');
    await symlink(join(home, 'shared.json'), join(home, '.claude.json'));
    expect(await write(home, 'claude-code')).toMatchObject({ exitStatus: 0 });
    expect((await lstat(join(home, '.claude.json'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(home, 'shared.json'), 'utf8')).toContain('texts.example.org');
  });

  it('adds a table at the end for Codex, once', async () => {
    const home = await temporaryFolder();
    await write(home, 'codex');
    const path = join(home, '.codex', 'config.toml');
    const [first, mode] = [await readFile(path, 'utf8'), (await stat(path)).mode & 0o777];
    expect(first).toBe('[mcp_servers.texts]\nurl = "https://texts.example.org/mcp"\n');
    expect(mode).toBe(process.platform === 'win32' ? mode : 0o600);

    expect(await write(home, 'codex')).toMatchObject({ exitStatus: 1 });
    await writeFile(path, 'model = "x"\n[mcp_servers.other]\ncommand = "other"');
    expect(await write(home, 'codex')).toMatchObject({ exitStatus: 0 });
    expect(await readFile(path, 'utf8')).toBe(
      `model = "x"\n[mcp_servers.other]\ncommand = "other"\n\n${first}`,
    );
  });

  it('asks VS Code for a secret once, beside those that it asks for', async () => {
    const directory = await temporaryFolder();
    const args = ['connect', '--client', 'vscode', '--scope', 'project', '--write'];
    await runTools([...args, '--name', 'a', '--url', 'https://a.org/mcp', '--token-from', 'A_TOKEN'], {
      directory,
    });
    await runTools([...args, '--name', 'b', '--url', 'https://b.org/mcp', '--token-from', 'B_TOKEN'], {
      directory,
    });
    await runTools([...args, '--name', 'c', '--url', 'https://c.org/mcp', '--token-from', 'A_TOKEN'], {
      directory,
    });

    const written = JSON.parse(await readFile(join(directory, '.vscode', 'mcp.json'), 'utf8')) as {
      readonly servers: object;
      readonly inputs: readonly { readonly id: string }[];
    };
    expect(Object.keys(written.servers)).toEqual(['a', 'b', 'c']);
    expect(written.inputs.map(({ id }) => id)).toEqual(['A_TOKEN', 'B_TOKEN']);
  });
});
