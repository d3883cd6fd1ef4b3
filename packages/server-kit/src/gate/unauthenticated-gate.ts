import { AuthError, type Caller } from '@mcp-parts/auth';
import type { Logger } from '@mcp-parts/tool-kit';

import type { Gate } from './gate.ts';

/** A server without authentication: for trying things out on one's own machine. */
export interface UnauthenticatedGateOptions {
  /** Whom every request counts as: `localCaller()` with as few permissions as will do. */
  readonly unauthenticated: Caller;
}

/**
 * Lets everybody on this machine pass as one local caller, and says so.
 *
 * @throws {TypeError} when the server can be reached from elsewhere.
 */
export function createUnauthenticatedGate(
  { unauthenticated }: UnauthenticatedGateOptions,
  binding: { readonly host: string; readonly isLoopback: boolean; readonly hasProxies: boolean },
  logger: Logger,
): Gate {
  if (!binding.isLoopback) {
    throw new TypeError(
      `gate: without authentication the server must listen on loopback, not on ${binding.host}`,
    );
  }
  if (binding.hasProxies) {
    throw new TypeError('gate: without authentication there must be no trustedProxies');
  }
  logger.warn(
    { caller: unauthenticated.id, permissions: unauthenticated.permissions },
    'AUTHENTICATION IS OFF: every program and user of this machine may call this server',
  );
  return {
    authenticate({ headers, correlationId }) {
      // A proxy on this machine would let the network in.
      if (headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined) {
        return unauthenticated;
      }
      const { code, publicMessage } = new AuthError('access_denied');
      logger.warn({ code, correlationId }, 'request refused: it came through a proxy');
      return { refused: { status: 403, body: { error: code, error_description: publicMessage } } };
    },
  };
}
