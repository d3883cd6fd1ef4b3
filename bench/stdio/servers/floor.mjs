// What a process costs that only speaks the protocol: Node, a line reader and JSON.
import { createInterface } from 'node:readline';

const serverInfo = { name: 'bench', version: '1.0.0' };
const capabilities = { tools: {} };
const results = {
  initialize: { protocolVersion: '2025-11-25', capabilities, serverInfo },
  'server/discover': { supportedVersions: ['2026-07-28'], capabilities, serverInfo },
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  if (id !== undefined) {
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: results[method] })}\n`);
  }
}
