import assert from 'node:assert/strict';

import type { JsonObject } from '@mcp-parts/tool-kit';

import type { RecordingAudit } from './recording-audit.ts';
import type { Connection } from './test-client.ts';

/** A call of a tool. */
export interface ContractCall {
  readonly name: string;
  readonly arguments?: Record<string, unknown> | undefined;
}

/** What the contract needs to know of a server under test. */
export interface ServerFixture {
  /** Connects a client that may use all tools which are named here. */
  readonly connect: () => Promise<Pick<Connection, 'client'> & AsyncDisposable>;
  /** A call that succeeds and changes nothing. */
  readonly good: ContractCall;
  /** A call whose arguments the tool must refuse. */
  readonly bad: ContractCall;
  /** What no client may ever see, such as tokens of backends and their hosts. @default nothing to look for */
  readonly secrets?: readonly string[] | undefined;
  /** The trail that the server writes. @default it is not looked at */
  readonly audit?: RecordingAudit | undefined;
  /**
   * A call that goes on until it is cancelled. `running` resolves when its handler waits, and `aborted` when the signal of
   * that handler has aborted. @default cancelling is not tried
   */
  readonly slow?:
    | (ContractCall & { readonly running: Promise<unknown>; readonly aborted: Promise<unknown> })
    | undefined;
}

/** One promise of a server; `run` rejects when it is broken. */
export interface ServerCase {
  readonly name: string;
  readonly run: (fixture: ServerFixture) => Promise<void>;
}

const NO_SUCH_TOOL = 'no_such_tool_7f3a';

/** What every server promises its clients and its operators. Run each case as a test, with a new fixture for each. */
export const serverContract: readonly ServerCase[] = [
  {
    name: 'lists tools that say what they do, take an object, and change nothing if they only read',
    run: (fixture) =>
      withClient(fixture, async (client) => {
        const { tools } = await client.listTools();
        assert.ok(tools.length > 0, 'there is a tool');
        assert.equal(new Set(tools.map(({ name }) => name)).size, tools.length, 'names are unique');
        for (const { name, description, inputSchema, annotations } of tools) {
          assert.ok((description ?? '').length > 0, `${name} has a description`);
          assert.equal(inputSchema.type, 'object', `${name} takes an object`);
          const isBoth = annotations?.readOnlyHint === true && annotations.destructiveHint === true;
          assert.ok(!isBoth, `${name} cannot both only read and destroy`);
        }
      }),
  },
  {
    name: 'says all of an answer in the text, and all of it in the structured content',
    run: (fixture) =>
      withClient(fixture, async (client) => {
        const { content, structuredContent, isError } = await client.callTool(asParams(fixture.good));
        assert.ok(isError !== true, 'the good call succeeds');
        const text = content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
        assert.ok(text.length > 0, 'there is a text');
        const missing = leavesOf(structuredContent).filter((leaf) => !text.includes(leaf));
        assert.deepEqual(missing, [], 'what is structured is in the text too');
      }),
  },
  {
    name: 'refuses a tool that it does not have, and says no more',
    run: (fixture) =>
      withClient(fixture, async (client) => {
        const { tools } = await client.listTools();
        const refusal = await refusalOf(client.callTool({ name: NO_SUCH_TOOL, arguments: {} }));
        const told = tools.filter(({ name }) => refusal.includes(name));
        assert.deepEqual(told, [], 'other tools are not named');
      }),
  },
  {
    name: 'refuses wrong arguments in words, and records that',
    run: (fixture) =>
      withClient(fixture, async (client) => {
        const refusal = await refusalOf(client.callTool(asParams(fixture.bad)));
        assert.ok(refusal.length > 0, 'the refusal says something');
        if (fixture.audit !== undefined) {
          const last = fixture.audit.calls.at(-1);
          assert.equal(last?.intent.target, fixture.bad.name, 'the trail has the call');
          assert.notEqual(last?.outcome?.result, 'success', 'as refused');
        }
      }),
  },
  {
    name: 'shows no secret in anything that it says',
    run: (fixture) =>
      withClient(fixture, async (client) => {
        const said = JSON.stringify([
          client.getServerVersion(),
          client.getInstructions(),
          await client.listTools(),
          await client.callTool(asParams(fixture.good)),
          await refusalOf(client.callTool(asParams(fixture.bad))),
          await refusalOf(client.callTool({ name: NO_SUCH_TOOL, arguments: {} })),
        ]);
        const shown = (fixture.secrets ?? []).filter((secret) => said.includes(secret));
        assert.equal(shown.length, 0, `${shown.length} secrets are shown`);
      }),
  },
  {
    name: 'stops the handler of a call that is cancelled',
    run: ({ slow, ...fixture }) =>
      withClient(fixture, async (client) => {
        if (slow !== undefined) {
          const cancellation = new AbortController();
          const call = client.callTool(asParams(slow), { signal: cancellation.signal });
          const ended = refusalOf(call);
          await slow.running;
          cancellation.abort();
          await ended;
          await slow.aborted;
        }
      }),
  },
  {
    name: 'writes nothing to standard output while it answers, where that belongs to the protocol',
    run: (fixture) =>
      withClient(fixture, async (client) => {
        const { stdout } = process;
        const written: string[] = [];
        const write = stdout.write.bind(stdout);
        stdout.write = (chunk: Uint8Array | string) => written.push(String(chunk)) > 0;
        try {
          await client.callTool(asParams(fixture.good));
          await refusalOf(client.callTool(asParams(fixture.bad)));
        } finally {
          stdout.write = write;
        }
        assert.deepEqual(written, [], 'standard output stays empty');
      }),
  },
];

async function withClient(
  { connect }: Pick<ServerFixture, 'connect'>,
  use: (client: Connection['client']) => Promise<void>,
): Promise<void> {
  const connection = await connect();
  try {
    await use(connection.client);
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

function asParams({ name, arguments: input = {} }: ContractCall) {
  return { name, arguments: input };
}

/** What a client is told by a call that is refused, as a result or as a JSON-RPC error. */
async function refusalOf(call: ReturnType<Connection['client']['callTool']>): Promise<string> {
  const answer = await call.catch((error: unknown) => error);
  if (answer instanceof Error) {
    return answer.message;
  }
  // What a call resolves with.
  const { isError, content } = answer as { readonly isError?: boolean; readonly content: unknown };
  assert.equal(isError, true, 'the call is refused');
  return JSON.stringify(content);
}

/** The strings and numbers in a JSON value, as a text would have them. */
function leavesOf(value: unknown): readonly string[] {
  if (typeof value === 'object' && value !== null) {
    return Object.values(value as JsonObject).flatMap(leavesOf);
  }
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}
