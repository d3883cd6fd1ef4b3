import { untilAborted } from '../abort.ts';
import type { DirectoryLogger } from '../directory/directory.ts';
import { LdapUnreachableError, isAboutServer } from './ldap-errors.ts';
import type { LdapEntry, LdapSearch, LdapServer, LdapSession, OpenLdapSession } from './ldap-session.ts';
import { createPermits } from './permits.ts';

/** A server that failed is not the first choice for this long. */
const AVOID_MS = 30_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/** Checked by `openLdapDirectory`. */
export interface LdapConnectionOptions {
  /** In order of preference, one at least. */
  readonly servers: readonly LdapServer[];
  readonly openSession: OpenLdapSession;
  /** Deadline of connecting and signing in, and of each search, in milliseconds. */
  readonly timeoutMs: number;
  /** Searches at once; the others wait. */
  readonly maxInFlight: number;
  readonly now: () => number;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
  /** Told when a server fails, once for each attempt that is made, and when it answers again. */
  readonly logger?: DirectoryLogger | undefined;
}

/** One directory behind several servers: one session to each that is in use, shared by all searches. */
export interface LdapConnection {
  /**
   * @throws {LdapResultError | LdapLimitError} when the server refuses, or has too much
   * @throws {LdapUnreachableError} when no server answers; the signal's reason
   */
  readonly search: (search: LdapSearch, signal: AbortSignal) => Promise<readonly LdapEntry[]>;
  /** Cuts all connections. */
  readonly close: () => void;
}

interface Server {
  readonly address: LdapServer;
  session?: LdapSession | undefined;
  /** Everybody who needs a session meanwhile waits for this one. */
  opening?: Promise<LdapSession> | undefined;
  /** Failures in a row. */
  failures: number;
  /** Before this, another server is preferred ... */
  avoidUntil: number;
  /** ... and before this it is not asked at all. */
  retryAt: number;
}

/** Opens nothing before the first search. */
export function createLdapConnection(options: LdapConnectionOptions): LdapConnection {
  const { openSession, timeoutMs, maxInFlight, now, random, logger } = options;
  const closing = new AbortController();
  const permits = createPermits(maxInFlight);
  const servers = options.servers.map((address): Server => {
    return { address, failures: 0, avoidUntil: 0, retryAt: 0 };
  });

  function pickServer(tried: ReadonlySet<Server>): Server | undefined {
    const usable = servers.filter((server) => !tried.has(server) && now() >= server.retryAt);
    return usable.find((server) => now() >= server.avoidUntil) ?? usable[0];
  }

  function sessionOf(server: Server): Promise<LdapSession> {
    if (server.session?.isOpen === true) {
      return Promise.resolve(server.session);
    }
    server.opening ??= open(server).finally(() => (server.opening = undefined));
    return server.opening;
  }

  async function open(server: Server): Promise<LdapSession> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      server.session = await openSession(server.address, signal);
      return server.session;
    } catch (cause) {
      closing.signal.throwIfAborted();
      backOff(server, cause);
      throw cause instanceof LdapUnreachableError
        ? cause
        : new LdapUnreachableError('no session with the directory server', { cause });
    }
  }

  function backOff(server: Server, error: unknown): void {
    const maxMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** server.failures);
    server.failures += 1;
    server.avoidUntil = now() + AVOID_MS;
    const retryInMs = Math.ceil(maxMs * (0.5 + random() / 2));
    server.retryAt = now() + retryInMs;
    const { failures } = server;
    logger?.error({ ...nameOf(server), failures, retryInMs, err: error }, 'directory server failed');
  }

  /** Many searches fail with one session: it counts once. */
  function giveUp(server: Server, session: LdapSession, error: unknown): void {
    session.close();
    if (server.session !== session) {
      return;
    }
    server.session = undefined;
    if (error instanceof LdapUnreachableError && error.isConnectionLost) {
      server.avoidUntil = now() + AVOID_MS;
    } else {
      backOff(server, error);
    }
  }

  async function ask(server: Server, search: LdapSearch, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    const session = await untilAborted(sessionOf(server), signal);
    try {
      const entries = await session.search(search, { timeoutMs, signal });
      if (server.failures > 0) {
        logger?.info(nameOf(server), 'directory server answers again');
      }
      server.failures = 0;
      server.avoidUntil = 0;
      return entries;
    } catch (error) {
      if (!signal.aborted && isAboutServer(error)) {
        giveUp(server, session, error);
      }
      throw error;
    }
  }

  /** Each server once; one whose connection broke meanwhile a second time, as it may just have been idle. */
  async function askAny(search: LdapSearch, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    const tried = new Set<Server>();
    const lost = new Set<Server>();
    let failure: unknown;
    for (let server = pickServer(tried); server !== undefined; server = pickServer(tried)) {
      try {
        return await ask(server, search, signal);
      } catch (error) {
        if (signal.aborted || !isAboutServer(error)) {
          throw error;
        }
        failure = error;
        const isLost = error instanceof LdapUnreachableError && error.isConnectionLost;
        if (!isLost || lost.has(server)) {
          tried.add(server);
        }
        lost.add(server);
      }
    }
    throw failure ?? new LdapUnreachableError('every directory server failed a moment ago');
  }

  return {
    search(search, callerSignal) {
      const signal = AbortSignal.any([callerSignal, closing.signal]);
      return permits.run(() => askAny(search, signal), signal);
    },
    close() {
      closing.abort(new Error('the directory is closed'));
      for (const server of servers) {
        server.session?.close();
      }
    },
  };
}

function nameOf({ address: { host, port } }: Server): { readonly host: string; readonly port: number } {
  return { host, port };
}
