import type { RegisterOptions } from '@mcp-parts/tool-kit';
import { registerTool } from '@mcp-parts/tool-kit/sdk-2026';
import { McpServer } from '@modelcontextprotocol/server';

import { createDeleteWord } from './delete-word.ts';

/** A server of the 2.x SDK with a tool that was there before, and one that came with its own protection. */
export function createServer(words: Set<string>, options: RegisterOptions): McpServer {
  const server = new McpServer({ name: 'dictionary', version: '7.2.0' });
  server.registerTool('count_words', { description: 'Counts the words.' }, () => ({
    content: [{ type: 'text', text: `${words.size} words` }],
  }));
  registerTool(server, createDeleteWord(words), options);
  return server;
}
