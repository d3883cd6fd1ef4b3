import type { AuditTrail } from '@mcp-parts/audit';
import {
  AuthError,
  challengeFor,
  isAuthError,
  metadataPaths,
  protectedResourceMetadata,
  type Authenticator,
  type Caller,
} from '@mcp-parts/auth';
import type { Logger } from '@mcp-parts/tool-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** How callers prove who they are. */
export interface GateOptions {
  readonly authenticator: Authenticator;
  /** This server's public URL with its path: the audience of its tokens. */
  readonly resource: string;
  readonly resourceName: string;
  readonly authorizationServers: readonly string[];
  /** All scopes that tokens for this server can have. */
  readonly scopes: readonly string[];
  /** The scopes that a client asks for first; a token with none of them is refused. */
  readonly basicScopes: readonly string[];
}

/** Lets verified callers pass and tells the others where to get a token (RFC 9728). */
export interface Gate {
  /** The caller, or `undefined` after the refusal was sent. */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<Caller | undefined>;
}

/** Serves the protected resource metadata and makes the gate for the endpoint. */
export function createGate(
  app: FastifyInstance,
  options: GateOptions,
  audit: AuditTrail,
  logger: Logger,
): Gate {
  const metadata = protectedResourceMetadata(options);
  const { paths, url } = metadataPaths(options.resource);
  for (const path of paths) {
    app.get(path, async (_request, reply) => {
      await reply.header('access-control-allow-origin', '*').send(metadata);
    });
  }

  async function refuse(error: AuthError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    logger.warn(
      { code: error.code, cause: error.cause, correlationId: request.id },
      'request refused at the gate',
    );
    try {
      const entry = await audit.begin({
        actor: { id: 'anonymous', kind: 'anonymous', groups: [] },
        action: 'authenticate',
        target: options.resource,
        correlationId: request.id,
        transport: 'http',
        sourceAddress: request.ip,
        urgent: false,
      });
      await entry.finish({ result: 'denied', reason: error.code, durationMs: Math.round(reply.elapsedTime) });
    } catch (auditError) {
      logger.error({ err: auditError, correlationId: request.id }, 'denial not recorded');
    }
    const challenge = challengeFor(error, { resourceMetadataUrl: url, scopes: options.basicScopes });
    await reply.code(challenge.status).headers(challenge.headers).send(challenge.body);
  }

  return {
    async admit(request, reply) {
      const abort = new AbortController();
      reply.raw.once('close', () => abort.abort());
      try {
        const caller = await options.authenticator.authenticate(request.headers.authorization, {
          signal: abort.signal,
        });
        if (!options.basicScopes.some((scope) => caller.scopes.includes(scope))) {
          throw new AuthError('insufficient_scope', {
            message: 'the token has none of the basic scopes',
            requiredScopes: options.basicScopes,
          });
        }
        return caller;
      } catch (error) {
        if (!isAuthError(error)) throw error;
        await refuse(error, request, reply);
        return undefined;
      }
    },
  };
}
