import {
  RpcError,
  rpcCodes,
  type Caller,
  type ChangeFeed,
  type ChangeListener,
  type JsonObject,
  type MethodHandler,
  type MethodTable,
} from '@mcp-parts/tool-kit';

import { isObject } from '../wire/message.ts';

/** What answers the calls, once it is there. */
interface ReadyServer {
  readonly table: MethodTable;
  readonly caller: Caller;
}

/** Methods that wait for their server. */
export interface HeldTable {
  readonly table: MethodTable;
  /** Lets the calls through, those that wait first. @throws {TypeError} when the server offers something else. */
  readonly release: (ready: ReadyServer) => void;
  /** How many handlers run. */
  readonly running: () => number;
  /** Resolves when no handler runs any more, or after so many milliseconds. */
  readonly settled: (timeoutMs: number) => Promise<void>;
}

/** The methods behind each capability. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  tools: ['tools/list', 'tools/call'],
  resources: ['resources/list', 'resources/templates/list', 'resources/read'],
  prompts: ['prompts/list', 'prompts/get'],
  completions: ['completion/complete'],
};

/** The methods behind each extension. */
const EXTENSION_METHODS: Readonly<Record<string, readonly string[]>> = {
  'io.modelcontextprotocol/tasks': [
    'tasks/get',
    'tasks/update',
    'tasks/cancel',
    'tasks/list',
    'tasks/result',
  ],
};

const SUBSCRIBE: readonly string[] = ['resources/subscribe', 'resources/unsubscribe'];

/**
 * A table of the methods that these capabilities announce, which waits for the real one up to `holdMs`. Calls are made
 * for the caller of that, and their signal aborts with `stop`, too.
 */
export function holdCalls(
  capabilities: JsonObject,
  { holdMs, stop }: { readonly holdMs: number; readonly stop: AbortSignal },
): HeldTable {
  const ready = Promise.withResolvers<ReadyServer>();
  let server: ReadyServer | undefined;
  let running = 0;
  let onSettled: () => void = () => undefined;

  async function whenReady(signal: AbortSignal): Promise<ReadyServer> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new RpcError(rpcCodes.internalError, STILL_STARTING, { reason: 'starting' })),
      holdMs,
    );
    const onAbort = () =>
      reject(new RpcError(rpcCodes.internalError, STOPPED_EARLY, { reason: 'server_stopped' }));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([ready.promise, promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  function held(method: string): MethodHandler {
    return async (params, request) => {
      running += 1;
      try {
        const signal = AbortSignal.any([request.signal, stop]);
        const { table, caller } = server ?? (await whenReady(signal));
        const handler = table.methods.get(method);
        if (handler === undefined) {
          throw new RpcError(rpcCodes.methodNotFound, 'Method not found');
        }
        return await handler(params, { ...request, caller, signal });
      } finally {
        running -= 1;
        if (running === 0) {
          onSettled();
        }
      }
    };
  }

  /** What is told before the server is there reaches nobody, as nobody has listed anything yet. */
  const changes: ChangeFeed = {
    open(options) {
      let opened: ChangeListener | undefined;
      let isClosed = false;
      const begin = ({ table, caller }: ReadyServer) => {
        if (!isClosed) {
          const onRenewed = (renewed: Caller) => {
            server = server && { ...server, caller: renewed };
          };
          opened = table.changes?.open({ ...options, caller, onRenewed });
        }
      };
      if (server === undefined) {
        // Whether it opens, its calls tell.
        ready.promise.then(begin, () => undefined);
      } else {
        begin(server);
      }
      return {
        watch: (uri) => opened?.watch(uri) ?? false,
        unwatch: (uri) => opened?.unwatch(uri),
        // It is the caller of the server, whoever asks.
        become: () => undefined,
        lookAgain: () => opened?.lookAgain(),
        close() {
          isClosed = true;
          opened?.close();
        },
      };
    },
    seen: () => undefined,
    count: () => server?.table.changes?.count() ?? 0,
  };

  const names = Object.entries(capabilities).flatMap(([capability, abilities]) => [
    ...(METHODS[capability] ?? []),
    ...(isObject(abilities) && abilities['subscribe'] === true ? SUBSCRIBE : []),
    ...(capability === 'extensions' ? Object.keys(abilities ?? {}) : []).flatMap(
      (extension) => EXTENSION_METHODS[extension] ?? [],
    ),
  ]);
  return {
    // Headers are a matter of HTTP.
    table: {
      capabilities,
      changes,
      headerParameters: new Map(),
      methods: new Map(names.map((method) => [method, held(method)])),
    },
    release(opened) {
      checkOffer(names, capabilities, opened.table);
      server = opened;
      ready.resolve(opened);
    },
    running: () => running,
    async settled(timeoutMs) {
      if (running === 0) {
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      onSettled = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}

const STILL_STARTING = 'The server is still starting, so nothing was done. Try again in a minute.';
const STOPPED_EARLY = 'The server was stopped before the call began, so nothing was done.';

/** What a client has been told cannot be taken back. */
function checkOffer(
  names: readonly string[],
  capabilities: JsonObject,
  { capabilities: real, methods }: MethodTable,
): void {
  const told = JSON.stringify(sorted(capabilities));
  const offered = JSON.stringify(sorted(real));
  const hidden = [...methods.keys()].filter((method) => !names.includes(method));
  if (told !== offered || hidden.length > 0) {
    throw new TypeError(`capabilities must be those of the server, ${offered}, got ${told}`);
  }
}

function sorted(capabilities: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(capabilities).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
