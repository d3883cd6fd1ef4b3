import type { MethodTable } from '@mcp-parts/tool-kit';

import type { ResolvedSessionLimits } from '../limits/session-limits.ts';
import type { SessionIds } from './session-id.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';

/** A session in memory, and who uses it. */
export interface LiveSession {
  readonly session: Session;
  readonly callerId: string;
  /** Notes the begin of a request; call what it returns at its end. */
  readonly use: () => () => void;
}

/** The sessions of a process. */
export interface Sessions {
  /** Opens one that has no id yet; `undefined` when all places are taken by sessions that are in use. */
  readonly open: (callerId: string) => Promise<LiveSession | undefined>;
  /** Gives an opened session, whose client has introduced itself, its id. */
  readonly register: (live: LiveSession) => string | undefined;
  /** Finds a caller's session, in memory or by what its id says; another caller's does not exist. */
  readonly find: (id: string, callerId: string) => Promise<LiveSession | 'full' | undefined>;
  /** Ends a session for good. */
  readonly end: (id: string) => Promise<void>;
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

/** What sessions need beside their limits. */
export interface SessionsOptions extends Omit<SessionOptions, 'budget'> {
  readonly maxEventBytes: number;
  /** Hears of each session that had an id, when it leaves memory. */
  readonly onEnd: (session: { readonly durationMs: number; readonly protocolVersion: string }) => void;
}

interface Entry extends LiveSession {
  readonly openedAt: number;
  id: string | undefined;
  lastUsedAt: number;
  users: number;
}

const MAX_SWEEP_INTERVAL_MS = 10_000;
/** Ids that were ended and would still be valid. */
const MAX_ENDED = 10_000;

/** Keeps the sessions within their limits. */
export function createSessions(
  table: MethodTable,
  ids: SessionIds,
  limits: ResolvedSessionLimits,
  options: SessionsOptions,
): Sessions {
  const { now, onEnd } = options;
  const sessionOptions: SessionOptions = { ...options, budget: { used: 0, max: options.maxEventBytes } };
  const live = new Set<Entry>();
  const byId = new Map<string, Entry>();
  const waking = new Map<string, Promise<LiveSession | 'full'>>();
  const ended = new Set<string>();

  const forget = async (entry: Entry) => {
    const wasLive = live.delete(entry);
    if (entry.id !== undefined) {
      byId.delete(entry.id);
      const protocolVersion = entry.session.state()?.version;
      if (wasLive && protocolVersion !== undefined) {
        onEnd({ durationMs: now() - entry.openedAt, protocolVersion });
      }
    }
    await entry.session.close();
  };

  const sweeper = setInterval(
    () => {
      const time = now();
      for (const entry of live) {
        entry.session.streams.sweep(time);
        if (entry.users === 0 && time - entry.lastUsedAt > limits.sessionIdleMs) {
          void forget(entry);
        }
      }
    },
    Math.min(limits.sessionIdleMs, MAX_SWEEP_INTERVAL_MS),
  );
  sweeper.unref();

  /** Makes room for one more session of the caller. */
  const makeRoom = (callerId: string): boolean => {
    const own = [...live].filter((entry) => entry.callerId === callerId);
    if (own.length >= limits.maxSessionsPerCaller) {
      return putToSleep(own);
    }
    if (live.size < limits.maxSessions) {
      return true;
    }
    const groups = [...Map.groupBy(live, (entry) => entry.callerId).values()];
    return groups.toSorted((one, other) => other.length - one.length).some(putToSleep);
  };
  const putToSleep = (entries: readonly Entry[]): boolean => {
    const idle = entries.filter(({ users }) => users === 0);
    const [oldest] = idle.toSorted((one, other) => one.lastUsedAt - other.lastUsedAt);
    if (oldest === undefined) {
      return false;
    }
    void forget(oldest);
    return true;
  };

  async function open(callerId: string): Promise<Entry | undefined> {
    if (!makeRoom(callerId)) {
      return undefined;
    }
    const session = await openSession(table, sessionOptions);
    const entry: Entry = {
      session,
      callerId,
      openedAt: now(),
      id: undefined,
      lastUsedAt: now(),
      users: 0,
      use() {
        entry.users += 1;
        let isUsed = true;
        return () => {
          entry.users -= isUsed ? 1 : 0;
          isUsed = false;
          entry.lastUsedAt = now();
        };
      },
    };
    live.add(entry);
    return entry;
  }

  async function wake(id: string, callerId: string, state: NonNullable<ReturnType<SessionIds['read']>>) {
    const entry = await open(callerId);
    if (entry === undefined) {
      return 'full' as const;
    }
    await entry.session.restore(state);
    entry.id = id;
    byId.set(id, entry);
    return entry;
  }

  return {
    open,
    register(opened) {
      const entry = [...live].find((candidate) => candidate === opened);
      const state = opened.session.state();
      if (entry === undefined || state === undefined) {
        return undefined;
      }
      entry.id = ids.create(state, entry.callerId);
      byId.set(entry.id, entry);
      return entry.id;
    },
    async find(id, callerId) {
      const found = byId.get(id);
      if (found !== undefined) {
        return found.callerId === callerId ? found : undefined;
      }
      const state = ended.has(id) ? undefined : ids.read(id, callerId);
      if (state === undefined) {
        return undefined;
      }
      // Two requests that come at once wake one session.
      let woken = waking.get(id);
      if (woken === undefined) {
        woken = wake(id, callerId, state).finally(() => waking.delete(id));
        waking.set(id, woken);
      }
      return woken;
    },
    async end(id) {
      ended.add(id);
      if (ended.size > MAX_ENDED) {
        const [oldest = ''] = ended;
        ended.delete(oldest);
      }
      const entry = byId.get(id);
      if (entry !== undefined) {
        await forget(entry);
      }
    },
    count: () => live.size,
    async close() {
      clearInterval(sweeper);
      await Promise.all([...live].map(forget));
    },
  };
}
