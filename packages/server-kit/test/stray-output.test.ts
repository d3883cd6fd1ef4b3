import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it } from 'vitest';

const fixture = fileURLToPath(new URL('stray-output.fixture.ts', import.meta.url));
// The fixture and the sources say `using`, which Node 22 has not.
const canRunSources = Number.parseInt(process.versions.node, 10) >= 24;
const args = ['--conditions=@mcp-parts/source', fixture];
const call = { name: 'echo', arguments: { text: 'hello' } };

describe.runIf(canRunSources)('what a tool writes to standard output', () => {
  it('never gets between the messages, and is moved to standard error with a warning', async () => {
    const child = spawn(process.execPath, args);
    const output = [text(child.stdout), text(child.stderr)] as const;
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
    };
    for (const message of [initialize, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: call }]) {
      child.stdin.write(`${JSON.stringify(message)}\n`);
    }
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number | null];
    const [stdout, stderr] = await Promise.all(output);
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { jsonrpc: '2.0', id: 1, result: { serverInfo: { name: 'test-server' } } },
      { jsonrpc: '2.0', id: 2, result: { structuredContent: { text: 'hello' } } },
    ]);
    expect(stderr).toContain('console.log: hello\n');
    expect(stderr).toContain('"forged":true');
    expect(stderr).toContain('bytes without a line break');
    expect(stderr.match(/"level":"warn".*stray output/gu)).toHaveLength(3);
  });

  it.for(['auto', { pin: '2026-07-28' }, 'legacy'] as const)(
    'does not disturb a client (negotiation %j)',
    async (mode) => {
      const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
      const transport = new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' });
      const errors: Error[] = [];
      client.onerror = (error) => errors.push(error);
      await client.connect(transport);
      await expect(client.callTool(call)).resolves.toMatchObject({ structuredContent: { text: 'hello' } });
      await client.close();
      expect(errors).toEqual([]);
    },
  );
});
