import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  createTaskSessionFromClient,
  toolDeclarationFromMcpTool,
  type ApplicationInputHandler,
  type RawClientDispatch,
  type TaskEnabledSession,
} from '@modelcontextprotocol/ext-tasks/client';

const REVISION = '2026-07-28';
const clientInfo = { name: 'tasks-client', version: '1.0.0' };

/** A server, and what its client sends and can be asked. */
interface TasksClientOptions {
  readonly url: string;
  readonly generation: '2025-11-25' | '2026-07-28';
  readonly headers: Readonly<Record<string, string>>;
  /** @default it cannot be asked */
  readonly onInputRequest?: ApplicationInputHandler['handle'] | undefined;
}

/** The official client of tasks, and the methods that it sends beside those of the SDK. */
export async function connectTasksClient({ url, generation, headers, onInputRequest }: TasksClientOptions) {
  const isModern = generation === REVISION;
  const capabilities = onInputRequest === undefined ? {} : { elicitation: { form: {} } };
  const client = new Client(clientInfo, {
    capabilities,
    versionNegotiation: { mode: isModern ? { pin: REVISION } : 'legacy' },
  });
  const sent: string[] = [];
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers },
      fetch(address, init) {
        sent.push(...methodsOf(init?.body));
        return fetch(address, init);
      },
    }),
  );
  const { tools } = await client.listTools();
  const declarations = new Map(tools.map((tool) => [tool.name, toolDeclarationFromMcpTool(tool)]));
  const session: TaskEnabledSession = createTaskSessionFromClient(client, {
    endpointId: url,
    tools: { currentTool: (name) => declarations.get(name) },
    ...(onInputRequest && { onInputRequest }),
    ...(isModern && {
      rawDispatch: dispatchTo(url, headers, sent),
      v2RequestFraming: { protocolVersion: REVISION, clientInfo, clientCapabilities: capabilities },
    }),
  });
  return {
    session,
    sent,
    async [Symbol.asyncDispose]() {
      await session.close();
      await client.close();
    },
  };
}

/** What the SDK's own client of 2026-07-28 does not send: its schemas know no tasks. */
function dispatchTo(url: string, own: Readonly<Record<string, string>>, sent: string[]): RawClientDispatch {
  let id = 0;
  return async (request, options) => {
    id += 1;
    const { method, params } = request as {
      readonly method: string;
      readonly params: Record<string, unknown>;
    };
    sent.push(method);
    const headers = new Headers({
      ...own,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': REVISION,
      'mcp-method': method,
      'mcp-name': String(params['name'] ?? params['taskId']),
    });
    for (const [name, value] of Object.entries(options?.context?.headers ?? {})) {
      headers.set(name, value);
    }
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      ...(options?.signal && { signal: options.signal }),
    });
    const { result, error } = (await response.json()) as {
      readonly result?: never;
      readonly error?: { readonly code: number; readonly message: string };
    };
    return error === undefined ? { kind: 'result', result: result ?? {} } : { kind: 'error', error };
  };
}

function methodsOf(body: unknown): readonly string[] {
  const { method } = (typeof body === 'string' ? JSON.parse(body) : {}) as { readonly method?: string };
  return method === undefined ? [] : [method];
}
