import type { AuditTrail } from '@mcp-parts/audit';
import {
  RpcError,
  type JsonObject,
  type Logger,
  type MethodHandler,
  type MethodTable,
  type RequestContext,
} from '@mcp-parts/tool-kit';

/** What the refusals need. */
export interface TokenEndOptions {
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  readonly audit: AuditTrail;
  readonly logger: Logger;
}

/** Worked out beforehand and the same for the whole connection: they ask no back end. */
const answeredForever: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/templates/list',
]);

/** JSON-RPC's internal error: MCP has no code for a refusal. */
const REFUSED = -32603;

const words =
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
            return { content: [{ type: 'text', text: words }], isError: true };
          }
          throw new RpcError(REFUSED, words, { reason: 'token_expired' });
        };
  return {
    capabilities: table.capabilities,
    methods: new Map([...table.methods].map(([method, handler]) => [method, ended(method, handler)])),
  };
}

async function record(
  method: string,
  params: JsonObject,
  request: RequestContext,
  { audit, logger }: TokenEndOptions,
): Promise<void> {
  const { id, kind, displayName, email, groups } = request.caller;
  const { correlationId, transport, era, client } = request;
  logger.warn({ method, correlationId }, 'call refused: the access token has ended');
  try {
    const entry = await audit.begin({
      actor: { id, kind, displayName, email, groups },
      action: method,
      target: targetOf(params),
      correlationId,
      transport,
      era,
      client,
      urgent: false,
    });
    await entry.finish({ result: 'denied', reason: 'token_expired', durationMs: 0 });
  } catch (error) {
    logger.error({ err: error, correlationId }, 'denial not recorded');
  }
}

function targetOf(params: JsonObject): string {
  const target = params['name'] ?? params['uri'];
  return typeof target === 'string' ? target.slice(0, 128) : '';
}
