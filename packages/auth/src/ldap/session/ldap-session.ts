import type { Socket } from 'node:net';

import { untilAborted } from '../../abort.ts';
import { LdapLimitError, LdapResultError, LdapUnreachableError } from './ldap-errors.ts';
import { loadLdapExchange } from './ldap-exchange.ts';
import type { CreateLdapExchange, LdapEntry, LdapExchange, LdapSearch } from './ldap-exchange.ts';
import { connect, upgrade } from './ldap-transport.ts';
import type { LdapServer } from './ldap-transport.ts';
import { createPagedSearch } from './paged-search.ts';

/** One signed-in connection. It never connects again: once it is lost, it is lost. */
export interface LdapSession {
  readonly isOpen: boolean;
  /** Messages that the server has sent so far: it was there when this grew. */
  readonly received: number;
  /**
   * Whole answers only; referrals are not followed. A search that is late is abandoned; the others go on.
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
  const createExchange = await loadLdapExchange();
  return (server, signal) => openSession(createExchange, server, signal);
}

async function openSession(
  createExchange: CreateLdapExchange,
  server: LdapServer,
  signal: AbortSignal,
): Promise<LdapSession> {
  let transport: Socket;
  try {
    transport = await connect(server, signal);
  } catch (error) {
    throw unreachable('no connection to the directory server', error, signal);
  }
  let exchange: LdapExchange;
  try {
    exchange = createExchange(transport);
    if (server.security === 'startTls') {
      await exchange.request({ kind: 'startTls' }, signal);
      // Whatever came in cleartext goes with the exchange that read it.
      exchange.detach();
      transport = await upgrade(transport, server, signal);
      exchange = createExchange(transport);
    }
    await signIn(exchange, server, signal);
  } catch (error) {
    transport.destroy();
    throw unreachable('cannot sign in at the directory server', error, signal);
  }
  const searchPages = createPagedSearch(exchange);

  return {
    get isOpen() {
      return !transport.destroyed;
    },
    get received() {
      return exchange.received;
    },
    async search(search, { timeoutMs, signal }) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        return await searchPages(search, { timeLimitSeconds: Math.ceil(timeoutMs / 1_000), signal: limit });
      } catch (cause) {
        if (cause instanceof LdapLimitError || cause instanceof LdapResultError) {
          throw cause;
        }
        signal.throwIfAborted();
        const isConnectionLost = transport.destroyed;
        throw new LdapUnreachableError('no answer from the directory server', { cause, isConnectionLost });
      }
    },
    close: () => void transport.destroy(),
  };
}

async function signIn(exchange: LdapExchange, { bind }: LdapServer, signal: AbortSignal): Promise<void> {
  if (bind === undefined) {
    return;
  }
  const password = await untilAborted(Promise.resolve(bind.password()), signal);
  // RFC 4513 §5.1.2: a name without a password is an anonymous sign-in, and servers say that it went well.
  if (password === '') {
    throw new Error('bind.password is empty');
  }
  await exchange.request({ kind: 'bind', dn: bind.dn, password }, signal);
}

function unreachable(message: string, cause: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : new LdapUnreachableError(message, { cause });
}
