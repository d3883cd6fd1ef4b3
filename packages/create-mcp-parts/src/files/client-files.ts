import type { Transport } from '../project-options.ts';

/** The configuration of clients that look for it in a project, by path. Nothing secret is in it. */
export function clientFiles(name: string, transport: Transport): readonly (readonly [string, string])[] {
  if (transport === 'http') {
    const entry = { [name]: { type: 'http', url: 'http://127.0.0.1:3000/mcp' } };
    return [
      ['.mcp.json', json({ mcpServers: entry })],
      ['.vscode/mcp.json', json({ servers: entry })],
    ];
  }
  const stdioEntry = (folder: string) => ({
    type: 'stdio',
    command: 'node',
    args: [`${folder}dist/stdio.js`],
    env: { STATE_DIRECTORY: `${folder}state` },
  });
  return [
    // Claude Code starts servers in the folder of the project.
    ['.mcp.json', json({ mcpServers: { [name]: stdioEntry('') } })],
    // eslint-disable-next-line no-template-curly-in-string -- VS Code fills it in.
    ['.vscode/mcp.json', json({ servers: { [name]: stdioEntry('${workspaceFolder}/') } })],
  ];
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
