import { AuthError, type Caller, type Policy } from '@mcp-parts/auth';
import { authorize, targetOf, type Authorizer, type JsonObject } from '@mcp-parts/tool-kit';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Server } from '../assemble.ts';
import type { RefusedCall } from './gate.ts';

/** What a client has to get before its call can run. */
export interface StepUp {
  readonly error: AuthError;
  /** The calls that lack it. */
  readonly calls: readonly RefusedCall[];
}

/** What a check looks at besides the request. */
export interface StepUpOptions {
  readonly server: Pick<Server, 'requiredPermission' | 'logger'> & { readonly authorizer: Authorizer };
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
    request: FastifyRequest,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<StepUp | undefined> => {
    const missing: { readonly permission: string; readonly call: Call; readonly rule: string | undefined }[] =
      [];
    for (const call of callsOf(request.body)) {
      const permission = permissionOf(server, call);
      if (permission === undefined) {
        continue;
      }
      const decision = await authorize(server.authorizer, {
        caller,
        permission,
        signal,
        correlationId: request.id,
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

const call = z.object({ method: z.string(), params: z.record(z.string(), z.unknown()) });
type Call = z.infer<typeof call>;

/** The 2025 era once had batches. What is no call is left to the SDK to refuse. */
function callsOf(body: unknown): readonly Call[] {
  return (Array.isArray(body) ? body : [body]).flatMap((message: unknown) => {
    const parsed = call.safeParse(message);
    return parsed.success ? [parsed.data] : [];
  });
}

function permissionOf(server: StepUpOptions['server'], { method, params }: Call): string | undefined {
  try {
    // Parsed from JSON.
    return server.requiredPermission(method, params as JsonObject);
  } catch (error) {
    // A fault in a definition: the call meets it again and explains it to the client.
    server.logger.error({ err: error }, 'required permission not known');
    return undefined;
  }
}

function nameOf({ method, params }: Call): Pick<RefusedCall, 'action' | 'target'> {
  // Parsed from JSON.
  return { action: method, target: targetOf(params as JsonObject) };
}
