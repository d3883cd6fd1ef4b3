import { createPermits } from './permits.ts';
import { createServerLink } from './server-link.ts';
import type { ServerLink, ServerLinkOptions } from './server-link.ts';
import { LdapUnreachableError, isAboutServer } from './session/ldap-errors.ts';
import type { LdapEntry, LdapSearch } from './session/ldap-exchange.ts';
import type { LdapServer } from './session/ldap-transport.ts';

/** Checked by `openLdapDirectory`. */
export interface LdapConnectionOptions extends ServerLinkOptions {
  /** In order of preference, one at least. */
  readonly servers: readonly LdapServer[];
  /** Searches at once; the others wait. */
  readonly maxInFlight: number;
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

/** Opens nothing before the first search. */
export function createLdapConnection(options: LdapConnectionOptions): LdapConnection {
  const closing = new AbortController();
  const permits = createPermits(options.maxInFlight);
  const servers = options.servers.map((address) => createServerLink(address, closing.signal, options));

  function pickServer(tried: ReadonlySet<ServerLink>): ServerLink | undefined {
    const usable = servers.filter((server) => !tried.has(server) && server.state() !== 'resting');
    return usable.find((server) => server.state() === 'preferred') ?? usable[0];
  }

  /** Each server once; one whose connection broke meanwhile a second time, as it may just have been idle. */
  async function askAny(search: LdapSearch, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    const tried = new Set<ServerLink>();
    const lost = new Set<ServerLink>();
    let failure: unknown;
    for (let server = pickServer(tried); server !== undefined; server = pickServer(tried)) {
      try {
        return await server.search(search, signal);
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
        server.close();
      }
    },
  };
}
