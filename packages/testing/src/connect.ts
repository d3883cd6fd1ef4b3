import type { Caller, MethodTable } from '@mcp-parts/tool-kit';
import { createServer as createServer2025 } from '@mcp-parts/tool-kit/sdk-2025';
import { createServer as createServer2026 } from '@mcp-parts/tool-kit/sdk-2026';

import { connect2025 } from './connect-2025.ts';
import { connect2026 } from './connect-2026.ts';
import { testCaller } from './test-caller.ts';
import type { ClientOptions, Connection } from './test-client.ts';

/** Which revision a test speaks, and as whom. */
export interface ConnectOptions extends ClientOptions {
  /** `2025`: the revisions up to 2025-11-25, by the 1.x SDK. `2026`: 2026-07-28, by the 2.x SDK. */
  readonly era: '2025' | '2026';
  /** Who calls. @default `testCaller()`, who may do nothing */
  readonly caller?: Caller | undefined;
  /** What the calls are told of the way they came; nothing is sent over it. @default 'stdio' */
  readonly transport?: 'stdio' | 'http' | undefined;
  /** @default none */
  readonly instructions?: string | undefined;
}

/** Connects a real client to a server that answers with this table, in memory. */
export function connect(table: MethodTable, options: ConnectOptions): Promise<Connection> {
  const { caller = testCaller(), transport = 'stdio' } = options;
  const binding = {
    serverInfo: { name: 'test-server', version: '1.0.0' },
    instructions: options.instructions,
    origin: () => ({ caller, transport }),
  };
  return options.era === '2025'
    ? connect2025(createServer2025(table, binding), options)
    : connect2026(() => createServer2026(table, binding), options);
}
