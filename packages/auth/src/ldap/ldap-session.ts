import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type * as ldaptsModule from 'ldapts';
import type { Entry, Filter } from 'ldapts';

import { untilAborted } from '../abort.ts';
import { LdapLimitError, LdapResultError, LdapUnreachableError } from './ldap-errors.ts';
import type { LdapFilter } from './ldap-filter.ts';

type Ldapts = typeof ldaptsModule;

const PAGE_SIZE = 500;

/** How to verify the server. All as Node.js takes them. */
export interface LdapTlsOptions {
  /** Authorities to trust instead of the well-known ones, in PEM. @default the well-known ones */
  readonly ca?: string | readonly string[] | undefined;
  /** The name that the certificate must have. @default the URL's host */
  readonly servername?: string | undefined;
}

/** Where one server is and how to sign in there. */
export interface LdapServer {
  readonly host: string;
  readonly port: number;
  /** `startTls` begins in cleartext and says nothing but "start TLS" until it is encrypted. */
  readonly security: 'tls' | 'startTls' | 'none';
  readonly tls: LdapTlsOptions;
  /** Absent: anonymous. */
  readonly bind?: { readonly dn: string; readonly password: () => string | Promise<string> } | undefined;
}

/** One search (RFC 4511 §4.5.1). */
export interface LdapSearch {
  readonly base: string;
  readonly scope: 'base' | 'sub';
  readonly filter: LdapFilter;
  /** Operational ones must be named. */
  readonly attributes: readonly string[];
  /** Those whose values are bytes. */
  readonly binaryAttributes?: readonly string[] | undefined;
  /** More entries than this are an error. */
  readonly maxEntries: number;
}

/** What a search found. Names of attributes are in lower case; an attribute without values is absent. */
export interface LdapEntry {
  readonly dn: string;
  readonly values: ReadonlyMap<string, readonly (string | Uint8Array)[]>;
}

/** One signed-in connection. It never connects again: once it is lost, it is lost. */
export interface LdapSession {
  readonly isOpen: boolean;
  /**
   * Whole answers only; referrals are not followed.
   * @throws {LdapResultError | LdapLimitError} when the server refuses, or has too much
   * @throws {LdapUnreachableError} also when `timeoutMs` is over; the signal's reason
   */
  readonly search: (
    search: LdapSearch,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ) => Promise<readonly LdapEntry[]>;
  /** Cuts the connection: what is in flight fails. */
  readonly close: () => void;
}

/**
 * Connects and signs in.
 * @throws {LdapUnreachableError} whatever went wrong; the signal's reason
 */
export type OpenLdapSession = (server: LdapServer, signal: AbortSignal) => Promise<LdapSession>;

/**
 * Loads the LDAP client, which is installed only where a directory is asked over LDAP.
 * @throws {TypeError} when it is not installed
 */
export async function loadLdapClient(): Promise<OpenLdapSession> {
  let ldapts: Ldapts;
  try {
    ldapts = await import('ldapts');
  } catch (cause) {
    throw new TypeError('an LDAP directory needs the package "ldapts": install it', { cause });
  }
  return (server, signal) => openSession(ldapts, server, signal);
}

async function openSession(ldapts: Ldapts, server: LdapServer, signal: AbortSignal): Promise<LdapSession> {
  let transport: Socket;
  try {
    transport = await connect(server, signal);
  } catch (error) {
    throw unreachable('no connection to the directory server', error, signal);
  }
  let unused: Socket | undefined = transport;
  const client = new ldapts.Client({
    // Says nothing about the transport: that is up to the socket.
    url: 'ldap://connected',
    // ldapts connects again by itself: without signing in, and in cleartext after StartTLS. Here it cannot: it
    // gets one socket, once.
    createConnection: () => {
      if (unused === undefined) {
        throw new Error('the connection is lost');
      }
      const socket = unused;
      unused = undefined;
      return socket;
    },
  });

  try {
    if (server.security === 'startTls') {
      const options = { ...tlsOptions(server), host: server.host, socket: transport };
      await untilAborted(client.startTLS(options), signal);
    }
    if (server.bind !== undefined) {
      const { dn, password } = server.bind;
      const secret = await untilAborted(Promise.resolve(password()), signal);
      // RFC 4513 §5.1.2: a name without a password is an anonymous sign-in, and servers say that it went well.
      if (secret === '') {
        throw new Error('bind.password is empty');
      }
      await untilAborted(client.bind(dn, secret), signal);
    }
  } catch (error) {
    transport.destroy();
    throw unreachable('cannot sign in at the directory server', error, signal);
  }

  async function readPages(search: LdapSearch, timeoutMs: number, signal: AbortSignal) {
    const pages = client.searchPaginated(search.base, {
      scope: search.scope,
      filter: toFilter(ldapts, search.filter),
      // "1.1" asks for names only, RFC 4511 §4.5.1.8.
      attributes: search.attributes.length === 0 ? ['1.1'] : [...search.attributes],
      explicitBufferAttributes: [...(search.binaryAttributes ?? [])],
      // No `sizeLimit`: with one, ldapts takes what came before the limit for the whole answer.
      paged: { pageSize: PAGE_SIZE },
      timeLimit: Math.ceil(timeoutMs / 1_000),
    });
    const entries: LdapEntry[] = [];
    for await (const { searchEntries } of pages) {
      signal.throwIfAborted();
      for (const entry of searchEntries) {
        entries.push(toEntry(entry));
      }
      if (entries.length > search.maxEntries) {
        throw new LdapLimitError(`the directory has more than ${search.maxEntries} entries for one search`);
      }
    }
    return entries;
  }

  return {
    get isOpen() {
      return !transport.destroyed;
    },
    async search(search, { timeoutMs, signal }) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        if (transport.destroyed) {
          throw new Error('the connection is lost');
        }
        return await untilAborted(readPages(search, timeoutMs, limit), limit);
      } catch (error) {
        if (error instanceof LdapLimitError) {
          throw error;
        }
        if (error instanceof ldapts.ResultCodeError) {
          throw new LdapResultError(error.code, { cause: error });
        }
        // One who leaves does not take the others' connection along; a server that is late does.
        if (signal.aborted) {
          throw signal.reason;
        }
        transport.destroy();
        const isConnectionLost = !limit.aborted;
        throw new LdapUnreachableError('no answer from the directory server', {
          cause: error,
          isConnectionLost,
        });
      }
    },
    close: () => void transport.destroy(),
  };
}

function unreachable(message: string, cause: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : new LdapUnreachableError(message, { cause });
}

async function connect(server: LdapServer, signal: AbortSignal): Promise<Socket> {
  const { host, port, security } = server;
  signal.throwIfAborted();
  const socket =
    security === 'tls' ? connectTls({ ...tlsOptions(server), host, port }) : connectTcp({ host, port });
  const connected = Promise.withResolvers<void>();
  socket.once(security === 'tls' ? 'secureConnect' : 'connect', connected.resolve);
  socket.once('error', connected.reject);
  socket.once('close', () => connected.reject(new Error('the connection was closed')));
  try {
    await untilAborted(connected.promise, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  // A later error closes the socket, and that is what the session looks at.
  socket.on('error', () => undefined);
  // Many small questions at once on one connection; and firewalls forget those that are silent.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  return socket;
}

/** Verification is Node's default and cannot be switched off here. */
function tlsOptions({ tls }: LdapServer) {
  const { ca, ...rest } = tls;
  return { ...rest, ...(ca !== undefined && { ca: [ca].flat() }) };
}

function toFilter(ldapts: Ldapts, filter: LdapFilter): Filter {
  switch (filter.kind) {
    case 'present':
      return new ldapts.PresenceFilter({ attribute: filter.attribute });
    case 'equal': {
      const { attribute, value } = filter;
      return new ldapts.EqualityFilter({
        attribute,
        value: typeof value === 'string' ? value : Buffer.from(value),
      });
    }
    case 'matches':
      return new ldapts.ExtensibleFilter({
        matchType: filter.attribute,
        rule: filter.rule,
        value: filter.value,
      });
    case 'any':
      return new ldapts.OrFilter({ filters: filter.filters.map((part) => toFilter(ldapts, part)) });
    case 'all':
      return new ldapts.AndFilter({ filters: filter.filters.map((part) => toFilter(ldapts, part)) });
    default:
      return filter satisfies never;
  }
}

/** ldapts gives one value bare, several as an array, and an empty array for none. */
function toEntry({ dn, ...attributes }: Entry): LdapEntry {
  const values = new Map<string, readonly (string | Uint8Array)[]>();
  for (const [name, value] of Object.entries(attributes)) {
    const list: readonly (string | Uint8Array)[] = Array.isArray(value) ? value : [value];
    if (list.length > 0) {
      values.set(name.toLowerCase(), list);
    }
  }
  return { dn, values };
}
