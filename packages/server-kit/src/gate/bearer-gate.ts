import type { IncomingMessage } from 'node:http';

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
import { recordRefusal, type AuditIntent, type AuditTrail, type Logger } from '@mcp-parts/tool-kit';

import { headerOf, type RequestFacts } from '../wire/exchange.ts';
import type { Gate, Refusal } from './gate.ts';
import { stepUpFor } from './step-up.ts';

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
  /** A token with none of these scopes is refused. */
  readonly basicScopes: readonly string[];
  /**
   * The scopes that the first challenge asks for. Some clients ask for exactly these and never for more.
   * @default basicScopes
   */
  readonly signInScopes?: readonly string[] | undefined;
  /** What clients must put before the names of scopes when they ask for them, as at Entra ID and Cognito. @default nothing */
  readonly scopePrefix?: string | undefined;
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

/** What the gate needs of the server behind it. */
export interface GuardedServer {
  readonly name: string;
  readonly audit: Pick<AuditTrail, 'begin'>;
  /** Hears the code of each refusal, to count it. @default nobody does */
  readonly onRefused?: ((code: AuthError['code']) => void) | undefined;
  readonly logger: Logger;
}

/** Lets callers with a good token pass and tells the others where to get one (RFC 9728). */
export function createBearerGate(options: TokenGateOptions, server: GuardedServer): Gate {
  const { name, audit, onRefused, logger } = server;
  const { authenticator, basicScopes, signInScopes = basicScopes, policy, proofs, resource } = options;
  const { paths, url } = metadataPaths(resource);
  const includesScope = policy?.includesScope ?? ((scopes, wanted) => scopes.includes(wanted));

  function refusalOf(error: AuthError, { correlationId }: RequestFacts): Refusal {
    onRefused?.(error.code);
    // The error's texts hold nothing of the credential.
    logger.warn(
      { code: error.code, reason: error.message, cause: error.cause, correlationId },
      'request refused at the gate',
    );
    return {
      refused: challengeFor(error, {
        resourceMetadataUrl: url,
        scopes: signInScopes,
        scopePrefix: options.scopePrefix,
        dpopAlgorithms: proofs?.algorithms,
      }),
    };
  }

  async function refuse(error: AuthError, facts: RequestFacts, caller?: Caller): Promise<Refusal> {
    await recordRefusal(
      {
        action: 'authenticate',
        target: resource,
        caller,
        reason: error.code,
        correlationId: facts.correlationId,
        transport: 'http',
        era: eraOf(facts),
        sourceAddress: facts.sourceAddress,
        durationMs: facts.elapsedMs(),
      },
      { audit, logger },
    );
    return refusalOf(error, facts);
  }

  return {
    documents: [{ paths, body: protectedResourceMetadata({ ...options, resourceName: name }) }],
    async authenticate(facts) {
      let caller: Caller;
      try {
        caller = await authenticator.authenticate(headerOf(facts, 'authorization'), {
          signal: facts.signal,
          request: {
            method: facts.method,
            // What the client called, not what a proxy made of it.
            url: resource,
            address: facts.sourceAddress,
            dpop: headerOf(facts, 'dpop'),
            certificate: facts.node && options.clientCertificate?.(facts.node),
          },
        });
      } catch (error) {
        if (!isAuthError(error)) {
          throw error;
        }
        return refuse(error, facts);
      }
      if (basicScopes.some((scope) => includesScope(caller.scopes, scope))) {
        return caller;
      }
      const error = new AuthError('insufficient_scope', {
        message: 'the token has none of the basic scopes',
        requiredScopes: basicScopes,
      });
      return refuse(error, facts, caller);
    },
    challengeDenied(denied, facts) {
      const error = stepUpFor(denied, { basicScopes, policy });
      return error && { ...refusalOf(error, facts), reason: error.code };
    },
  };
}

/** The era that the request claims. `initialize`, which chooses a version, does not say. */
function eraOf(facts: RequestFacts): AuditIntent['era'] {
  const version = headerOf(facts, 'mcp-protocol-version');
  if (version === undefined || !PROTOCOL_VERSION.test(version)) {
    return undefined;
  }
  return version < '2026' ? '2025' : '2026';
}

const PROTOCOL_VERSION = /^\d{4}-\d{2}-\d{2}$/u;
