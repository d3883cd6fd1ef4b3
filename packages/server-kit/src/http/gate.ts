import type { IncomingMessage } from 'node:http';

import type { AuditIntent, AuditTrail } from '@mcp-parts/audit';
import {
  AuthError,
  challengeFor,
  isAuthError,
  metadataPaths,
  protectedResourceMetadata,
  type Authenticator,
  type Caller,
  type KeyProofs,
  type Policy,
} from '@mcp-parts/auth';
import { recordRefusal, type Logger } from '@mcp-parts/tool-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { abortedOnClose } from './aborted-on-close.ts';
import { withoutPort } from './origin.ts';

/** Callers prove who they are with access tokens. */
export interface TokenGateOptions {
  /** Not here: it is the other kind of gate, `UnauthenticatedGateOptions`. */
  readonly unauthenticated?: undefined;
  readonly authenticator: Authenticator;
  /** This server's public URL with its path: the audience of its tokens. */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  /** All scopes that tokens for this server can have. */
  readonly scopes: readonly string[];
  /** The scopes that a client asks for first; a token with none of them is refused. */
  readonly basicScopes: readonly string[];
  /** Knows which scopes a permission needs, and which are broader than others. @default by name: scope = permission */
  readonly policy?: Pick<Policy, 'scopesFor' | 'includesScope'> | undefined;
  /** Those of the authenticator, to offer DPoP in challenges. @default DPoP is not offered */
  readonly proofs?: Pick<KeyProofs, 'algorithms'> | undefined;
  /**
   * The client's TLS certificate in DER. Behind a proxy, take it from a header only if the proxy always sets or
   * removes that header. @default tokens that are bound to a certificate are refused
   */
  readonly clientCertificate?: ((request: IncomingMessage) => Uint8Array | undefined) | undefined;
}

/** One thing that was refused. */
export interface RefusedCall {
  readonly action: string;
  readonly target: string;
  /** The rule of the policy that refused it, where one did. */
  readonly rule?: string | undefined;
}

/** What somebody who is known was refused. */
interface Refused {
  readonly caller: Caller;
  readonly calls: readonly RefusedCall[];
}

/** Lets verified callers pass and tells the others where to get a token (RFC 9728). */
export interface Gate {
  /** The caller, or `undefined` after the refusal was sent. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply) => Promise<Caller | undefined>;
  /** Sends one refusal and records it: of a request by nobody in particular, or of each of a caller's calls. */
  readonly refuse: (
    error: AuthError,
    request: FastifyRequest,
    reply: FastifyReply,
    refused?: Refused,
  ) => Promise<void>;
}

/** Serves the protected resource metadata and makes the gate for the endpoint. */
export function createGate(
  app: FastifyInstance,
  options: TokenGateOptions & { readonly resourceName: string },
  audit: AuditTrail,
  logger: Logger,
): Gate {
  const { authenticator, basicScopes, policy, proofs } = options;
  const metadata = protectedResourceMetadata(options);
  const { paths, url } = metadataPaths(options.resource);
  for (const path of paths) {
    app.get(path, async (_request, reply) => {
      await reply.header('access-control-allow-origin', '*').send(metadata);
    });
  }
  const includesScope = policy?.includesScope ?? ((scopes, wanted) => scopes.includes(wanted));

  async function refuse(
    error: AuthError,
    request: FastifyRequest,
    reply: FastifyReply,
    refused?: Refused,
  ): Promise<void> {
    // The error's texts hold nothing of the credential.
    logger.warn(
      { code: error.code, reason: error.message, cause: error.cause, correlationId: request.id },
      'request refused at the gate',
    );
    const calls = refused?.calls ?? [{ action: 'authenticate', target: options.resource }];
    await Promise.all(
      calls.map((call) =>
        recordRefusal(
          {
            ...call,
            caller: refused?.caller,
            reason: error.code,
            correlationId: request.id,
            transport: 'http',
            era: eraOf(request),
            sourceAddress: withoutPort(request.ip),
            durationMs: reply.elapsedTime,
          },
          { audit, logger },
        ),
      ),
    );
    const challenge = challengeFor(error, {
      resourceMetadataUrl: url,
      scopes: basicScopes,
      dpopAlgorithms: proofs?.algorithms,
    });
    await reply.code(challenge.status).headers(challenge.headers).send(challenge.body);
  }

  return {
    refuse,
    async admit(request, reply) {
      let caller: Caller;
      try {
        caller = await authenticator.authenticate(request.headers.authorization, {
          signal: abortedOnClose(reply),
          request: {
            method: request.method,
            // What the client called, not what a proxy made of it.
            url: options.resource,
            dpop: headerOf(request, 'dpop'),
            certificate: options.clientCertificate?.(request.raw),
          },
        });
      } catch (error) {
        if (!isAuthError(error)) {
          throw error;
        }
        await refuse(error, request, reply);
        return undefined;
      }
      if (basicScopes.some((scope) => includesScope(caller.scopes, scope))) {
        return caller;
      }
      const error = new AuthError('insufficient_scope', {
        message: 'the token has none of the basic scopes',
        requiredScopes: basicScopes,
      });
      await refuse(error, request, reply, {
        caller,
        calls: [{ action: 'authenticate', target: options.resource }],
      });
      return undefined;
    },
  };
}

/** The era that the request claims. `initialize`, which chooses a version, does not say. */
function eraOf(request: FastifyRequest): AuditIntent['era'] {
  const version = headerOf(request, 'mcp-protocol-version');
  if (version === undefined || !PROTOCOL_VERSION.test(version)) {
    return undefined;
  }
  return version < '2026' ? '2025' : '2026';
}

const PROTOCOL_VERSION = /^\d{4}-\d{2}-\d{2}$/u;

/** Node joins repeated headers with a comma, which no proof survives. */
function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
