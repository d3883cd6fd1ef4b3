import { createLogger } from '@mcp-parts/observability';
import { assembleServer } from '@mcp-parts/server-kit';
import { connect, recordingAudit, testCaller, type TestQuestion } from '@mcp-parts/testing';
import type { JsonObject } from '@mcp-parts/tool-kit';

import { createDefinitions } from '../src/definitions.ts';
import type { Parts } from '../src/parts.ts';
import { serverInfo } from '../src/server.ts';
import { createTickets } from '../src/tickets.ts';
// <tasks>
import { stateDirectory } from './program.ts';
// </tasks>

/** How a conversation goes. */
export interface ConversationOptions {
  /** The revision that the client speaks. @default '2026' */
  readonly era?: '2025' | '2026' | undefined;
  /** What the person may do. @default to read and to write */
  readonly permissions?: readonly string[] | undefined;
  /** What the tools work with, where a test cares. */
  readonly parts?: Partial<Parts> | undefined;
  /** Answers what a tool asks the person. @default nobody can be asked */
  readonly onQuestion?: ((question: TestQuestion) => JsonObject) | undefined;
}

/** A conversation of a real client with the server, in memory. */
export async function talk(options: ConversationOptions = {}) {
  const { era = '2026', permissions = ['tickets:read', 'tickets:write'], onQuestion } = options;
  // A part that a test does not give is missed when a tool uses it.
  const parts = { tickets: createTickets(), ...options.parts } as Parts;
  const audit = recordingAudit();
  // <tasks>
  const state = await stateDirectory();
  // </tasks>
  const server = await assembleServer({
    serverInfo,
    definitions: createDefinitions(parts),
    logger: createLogger({ name: serverInfo.name, level: 'silent' }),
    ports: { audit },
    // <tasks>
    stateDirectory: state.path,
    // </tasks>
  });
  const caller = testCaller({ permissions });
  const { client, close } = await connect(server.table, { era, caller, onQuestion });
  return {
    client,
    parts,
    audit,
    call: (name: string, input: JsonObject = {}) => client.callTool({ name, arguments: input }),
    async [Symbol.asyncDispose]() {
      await close();
      await server[Symbol.asyncDispose]();
      // <tasks>
      await state[Symbol.asyncDispose]();
      // </tasks>
    },
  };
}
