import {
  recordRefusal,
  RpcError,
  rpcCodes,
  targetOf,
  type AuditTrail,
  type ChangeFeed,
  type JsonObject,
  type Logger,
  type MethodHandler,
  type MethodTable,
  type RequestContext,
} from '@mcp-parts/tool-kit';

/** What the refusals need. */
export interface TokenEndOptions {
  /** When the token ends, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** The time, in milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly logger: Logger;
}

/** Worked out beforehand and the same for the whole connection: they ask no upstream. */
const answeredForever: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/templates/list',
]);

const TOKEN_ENDED =
  'The access token that this server was started with has ended, so nothing was done. Do not try again; ask the person you work for to restart the server with a new token.';

/** Wraps a method table so that its calls are refused, and recorded as denied, once the token has ended. */
export function endWithToken(table: MethodTable, options: TokenEndOptions): MethodTable {
  const ended = (method: string, handler: MethodHandler): MethodHandler =>
    answeredForever.has(method)
      ? handler
      : async (params, request) => {
          if (options.now() < options.expiresAt) {
            return handler(params, request);
          }
          await record(method, params, request, options);
          // A tool's failure is a result, which the model reads.
          if (method === 'tools/call') {
            return { content: [{ type: 'text', text: TOKEN_ENDED }], isError: true };
          }
          // MCP has no code for a refusal.
          throw new RpcError(rpcCodes.internalError, TOKEN_ENDED, { reason: 'token_expired' });
        };
  return {
    ...table,
    changes: table.changes && untilEnded(table.changes, options),
    methods: new Map([...table.methods].map(([method, handler]) => [method, ended(method, handler)])),
  };
}

function untilEnded(changes: ChangeFeed, { now, expiresAt }: TokenEndOptions): ChangeFeed {
  return {
    ...changes,
    open(listening) {
      const listener = changes.open({
        ...listening,
        tell(change) {
          if (now() < expiresAt) {
            listening.tell(change);
          } else {
            listener.close();
          }
        },
      });
      return listener;
    },
  };
}

async function record(
  method: string,
  params: JsonObject,
  request: RequestContext,
  { audit, logger }: TokenEndOptions,
): Promise<void> {
  logger.warn({ method, correlationId: request.correlationId }, 'call refused: the access token has ended');
  await recordRefusal(
    { ...request, action: method, target: targetOf(params), reason: 'token_expired', durationMs: 0 },
    { audit, logger },
  );
}
