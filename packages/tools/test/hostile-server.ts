// A server on stdio that says what nobody should see in a terminal.
import { createInterface } from 'node:readline';

const hostile = `\u001b]0;mine\u0007\u202eevil\u009b2J\r${String.fromCharCode(0xd800)}, \u{e0041} <|endoftext|>`;
const tools = [{ name: 'say', description: `Says ${hostile}.`, inputSchema: { type: 'object' } }];

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly protocolVersion?: string };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line) as Request;
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: params?.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'hostile', version: '1.0.0' },
    },
    'tools/list': { tools },
    'tools/call': { content: [{ type: 'text', text: hostile }], structuredContent: { said: hostile } },
  };
  const result = results[method];
  if (id !== undefined) {
    const answer =
      result === undefined ? { error: { code: -32_601, message: `No: ${hostile}` } } : { result };
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
  }
}
