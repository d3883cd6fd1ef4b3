import type { CreateHttpEra } from '../http-era.ts';
import { createEndpoint2025 } from './endpoint-2025.ts';
import { createSessionIds } from './session-id.ts';
import { createSessions } from './sessions.ts';

/** The revisions up to 2025-11-25. They take whatever is of no later era. */
export const era2025: CreateHttpEra = (options) => {
  const { table, binding, limits, sessionKey, now, onError, onSessionEnd } = options;
  const sessions = createSessions(table, createSessionIds(sessionKey, now), limits, {
    binding,
    now,
    onError,
    onEnd: onSessionEnd,
    maxEventBytes: limits.maxEventBytes,
  });
  const { post, ...endpoint } = createEndpoint2025(sessions);
  return {
    take: (message) => (request) => post(message, request),
    sessions: { ...endpoint, count: sessions.count },
    close: sessions.close,
  };
};
