import { AuthError, type Policy } from '@mcp-parts/auth';
import {
  authorize,
  targetOf,
  type Authorizer,
  type Caller,
  type JsonObject,
  type Logger,
} from '@mcp-parts/tool-kit';

import type { RequestFacts } from '../wire/exchange.ts';
import type { RequestMessage } from '../wire/message.ts';

/** One thing that was refused. */
export interface RefusedCall {
  readonly action: string;
  readonly target: string;
  /** The rule of the policy that refused it, where one did. */
  readonly rule?: string | undefined;
}

/** What a client has to get before its call can run. */
export interface StepUp {
  readonly error: AuthError;
  /** The calls that lack it. */
  readonly calls: readonly RefusedCall[];
}

/** What a check looks at besides the request. */
export interface StepUpOptions {
  readonly server: {
    readonly authorizer: Authorizer;
    readonly requiredPermission: (method: string, params: JsonObject) => string | undefined;
    readonly logger: Logger;
  };
  readonly basicScopes: readonly string[];
  readonly policy?: Pick<Policy, 'scopesFor'> | undefined;
}

/**
 * Looks for calls that would be denied for want of a scope, which a client cures with a new token and so must learn
 * over HTTP (2026-07-28, basic/authorization, "Runtime Insufficient Scope Errors"), and for those that nobody can
 * decide. Every other denial is the call's own to tell: no token would help.
 */
export function createStepUpCheck({ server, basicScopes, policy }: StepUpOptions) {
  const scopesFor = policy?.scopesFor ?? ((permissions) => permissions);

  return async (
    calls: readonly RequestMessage[],
    caller: Caller,
    { signal, correlationId }: Pick<RequestFacts, 'signal' | 'correlationId'>,
  ): Promise<StepUp | undefined> => {
    const missing: {
      readonly permission: string;
      readonly call: RequestMessage;
      readonly rule: string | undefined;
    }[] = [];
    for (const call of calls) {
      const permission = permissionOf(server, call);
      if (permission === undefined) {
        continue;
      }
      const decision = await authorize(server.authorizer, {
        caller,
        permission,
        signal,
        correlationId,
        logger: server.logger,
      });
      if (decision.allowed) {
        continue;
      }
      if (decision.reason === 'missing_scope') {
        missing.push({ permission, call, rule: decision.rule });
      }
      if (decision.reason === 'unavailable') {
        const error = new AuthError('unavailable', {
          message: `nobody can decide on ${permission}`,
          retryAfterMs: 5_000,
        });
        return { error, calls: [{ ...nameOf(call), rule: decision.rule }] };
      }
    }
    const [first] = missing;
    if (first === undefined) {
      return undefined;
    }
    // All at once, the basic ones included: a client may ask for exactly these.
    const needed = scopesFor(missing.map(({ permission }) => permission));
    const error = new AuthError('insufficient_scope', {
      message: `the token lacks scopes for ${first.permission}`,
      requiredScopes: [...new Set([...basicScopes, ...needed])],
    });
    return { error, calls: missing.map(({ call, rule }) => ({ ...nameOf(call), rule })) };
  };
}

function permissionOf(
  server: StepUpOptions['server'],
  { method, params = {} }: RequestMessage,
): string | undefined {
  try {
    return server.requiredPermission(method, params);
  } catch (error) {
    // A fault in a definition: the call meets it again and explains it to the client.
    server.logger.error({ err: error }, 'required permission not known');
    return undefined;
  }
}

function nameOf({ method, params = {} }: RequestMessage): Pick<RefusedCall, 'action' | 'target'> {
  return { action: method, target: targetOf(params) };
}
