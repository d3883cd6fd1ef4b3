import type { MethodTable } from '@mcp-parts/tool-kit';

import type { ResolvedSessionLimits } from '../limits/session-limits.ts';
import type { SessionIds } from './session-id.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';

/** A session in memory, which stays there until whoever asked for it leaves. */
export interface LiveSession {
  readonly session: Session;
  readonly leave: () => void;
}

/** The sessions of a process. */
export interface Sessions {
  /** Opens one that has no id yet; `undefined` when all places are taken by sessions that are in use. */
  readonly open: (callerId: string) => LiveSession | undefined;
  /** Gives an opened session, whose client has introduced itself, its id. */
  readonly register: (session: Session) => string | undefined;
  /** Finds a caller's session, in memory or by what its id says; another caller's does not exist. */
  readonly find: (id: string, callerId: string) => Promise<LiveSession | 'full' | undefined>;
  /** Ends a caller's session for good, in memory or not; `false` when there is none. */
  readonly end: (id: string, callerId: string) => Promise<boolean>;
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

/** What sessions need beside their limits. */
export interface SessionsOptions extends Omit<SessionOptions, 'budget'> {
  readonly maxEventBytes: number;
  /** Hears of each session that had an id, when it leaves memory. */
  readonly onEnd: (session: { readonly durationMs: number; readonly protocolVersion: string }) => void;
}

interface Entry {
  readonly session: Session;
  readonly callerId: string;
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
  const waking = new Map<string, Promise<void>>();
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

  function open(callerId: string): Entry | undefined {
    // Room is made and taken at once, so that no number of requests that come together gets more of it.
    if (!makeRoom(callerId)) {
      return undefined;
    }
    const time = now();
    const session = openSession(table, sessionOptions);
    const entry: Entry = { session, callerId, openedAt: time, id: undefined, lastUsedAt: time, users: 0 };
    live.add(entry);
    return entry;
  }

  function use(entry: Entry): LiveSession {
    entry.users += 1;
    let isUsed = true;
    return {
      session: entry.session,
      leave() {
        entry.users -= isUsed ? 1 : 0;
        isUsed = false;
        entry.lastUsedAt = now();
      },
    };
  }

  async function find(id: string, callerId: string): Promise<LiveSession | 'full' | undefined> {
    const found = byId.get(id);
    if (found !== undefined) {
      return found.callerId === callerId ? use(found) : undefined;
    }
    const state = ended.has(id) ? undefined : ids.read(id, callerId);
    if (state === undefined) {
      return undefined;
    }
    // Two requests that come at once wake one session.
    const awake = waking.get(id);
    if (awake !== undefined) {
      await awake;
      return find(id, callerId);
    }
    const entry = open(callerId);
    if (entry === undefined) {
      return 'full';
    }
    const used = use(entry);
    const restored = entry.session.restore(state);
    waking.set(id, restored);
    await restored;
    waking.delete(id);
    entry.id = id;
    byId.set(id, entry);
    return used;
  }

  return {
    open(callerId) {
      const entry = open(callerId);
      return entry && use(entry);
    },
    register(session) {
      const entry = [...live].find((candidate) => candidate.session === session);
      const state = session.state();
      if (entry === undefined || state === undefined) {
        return undefined;
      }
      entry.id = ids.create(state, entry.callerId);
      byId.set(entry.id, entry);
      return entry.id;
    },
    find,
    async end(id, callerId) {
      const isOwn = byId.get(id)?.callerId === callerId || ids.read(id, callerId) !== undefined;
      if (ended.has(id) || !isOwn) {
        return false;
      }
      ended.add(id);
      if (ended.size > MAX_ENDED) {
        const [oldest = ''] = ended;
        ended.delete(oldest);
      }
      // One that wakes just now is there then.
      await waking.get(id);
      const entry = byId.get(id);
      if (entry !== undefined) {
        await forget(entry);
      }
      return true;
    },
    count: () => live.size,
    async close() {
      clearInterval(sweeper);
      await Promise.all([...live].map(forget));
    },
  };
}
