// A server on stdio; its argument says what it offers.
import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import { createServer } from '@mcp-parts/tool-kit/sdk-2026';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const shared = {
  title: 'Count words',
  description: 'Counts the words of a text. Returns the number.',
  output: z.object({ words: z.int() }),
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'texts:read',
};
const text = z.string().describe('The text.');
const countWords = (sent: string) => Promise.resolve({ words: sent.split(/\s+/u).filter(Boolean).length });

/** What was offered first, and what became of it. */
const catalogs = {
  first: () => [
    defineTool({
      ...shared,
      name: 'count_words',
      input: z.strictObject({ text }),
      handle: ({ text }) => countWords(text),
      text: ({ words }) => `The text has ${words} words.`,
    }),
  ],
  stricter: () => [
    defineTool({
      ...shared,
      name: 'count_words',
      input: z.strictObject({ text, language: z.string().describe('Such as en.') }),
      handle: ({ text }) => countWords(text),
    }),
  ],
  renamed: () => [
    defineTool({
      ...shared,
      name: 'measure_text',
      formerNames: ['count_words'],
      input: z.strictObject({ text, language: z.string().optional().describe('Such as en.') }),
      handle: ({ text }) => countWords(text),
    }),
  ],
};

const caller = { id: 'local#me', kind: 'user', groups: [], permissions: ['texts:read'] } as const;
const serverInfo = { name: 'texts', version: '1.0.0' };

function poor() {
  const server = new McpServer(serverInfo);
  server.registerTool('count.words', { inputSchema: z.object({ text: z.string() }) }, () => ({
    content: [{ type: 'text', text: 'No.' }],
    isError: true,
  }));
  return server;
}

const offered = process.argv[2];
const catalog = Object.entries(catalogs).find(([name]) => name === offered)?.[1];
const table = catalog && createMethodTable(createCatalog({ tools: catalog() }));
serveStdio(() =>
  table === undefined
    ? poor()
    : createServer(table, { serverInfo, origin: () => ({ caller, transport: 'stdio' }) }),
);
