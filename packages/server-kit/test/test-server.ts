import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  defineTool,
  type ContentToolDefinition,
  type Logger,
  type ToolDefinition,
} from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { assembleServer, type Server } from '../src/index.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A tool that gives back its text after it has done what a test wants. */
export function echoTool(before: (text: string) => void | Promise<void> = () => undefined) {
  return defineTool({
    name: 'echo',
    title: 'Echo',
    description: 'Gives back the text.',
    input: z.strictObject({ text: z.string() }),
    output: z.object({ text: z.string() }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'echo',
    async handle({ text }) {
      await before(text);
      return { text };
    },
    text: ({ text }) => text,
  });
}

/** A server with that tool, in a state directory of its own that goes with it. */
export async function openServer(
  tool: ToolDefinition | ContentToolDefinition = echoTool(),
  logger = silent,
  rateLimitPerMinute?: number,
): Promise<Server> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-server-kit-'));
  const server = await assembleServer({
    serverInfo: { name: 'test-server', version: '1.0.0' },
    definitions: { tools: [tool] },
    authorizer: { decide: () => ({ allowed: true, rule: 'test' }) },
    logger,
    stateDirectory,
    rateLimitPerMinute,
  });
  const close = async () => {
    await server.close();
    await rm(stateDirectory, { recursive: true, force: true });
  };
  return { ...server, close, [Symbol.asyncDispose]: close };
}
