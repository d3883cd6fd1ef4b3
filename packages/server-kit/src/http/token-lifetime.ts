import type { Caller } from '@mcp-parts/auth';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { MAX_TIMER_MS } from '../check-number.ts';

/**
 * Ends a stream that waits for events when the token that opened it ends: a client with a new token opens it again.
 * Calls are left alone: they were allowed when they began, and have a deadline.
 */
export function endStreamWithToken(request: FastifyRequest, reply: FastifyReply, caller: Caller): void {
  if (caller.expiresAt === undefined || !isStream(request)) {
    return;
  }
  const delayMs = Math.min(Math.max(caller.expiresAt - Date.now(), 0), MAX_TIMER_MS);
  const timer = setTimeout(() => reply.raw.end(), delayMs);
  timer.unref();
  reply.raw.once('close', () => clearTimeout(timer));
}

/** The stream of a 2025 session, or a subscription of 2026-07-28. */
function isStream({ method, body }: FastifyRequest): boolean {
  if (method === 'GET') {
    return true;
  }
  return (
    typeof body === 'object' && body !== null && 'method' in body && body.method === 'subscriptions/listen'
  );
}
