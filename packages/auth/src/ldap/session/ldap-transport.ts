import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { untilAborted } from '../../abort.ts';

/** How to verify the server. All as Node.js takes them. */
export interface LdapTlsOptions {
  /**
   * Authorities to trust instead of the well-known ones, in PEM. Asked for at each connection when it is a function: other
   * ones then need no restart. @default the well-known ones
   */
  readonly ca?: string | readonly string[] | (() => string | Promise<string>) | undefined;
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

/** A connected socket, encrypted unless the server's `security` says otherwise. @throws {Error} of the socket; the signal's reason */
export async function connect(server: LdapServer, signal: AbortSignal): Promise<Socket> {
  const { host, port, security } = server;
  signal.throwIfAborted();
  const isTls = security === 'tls';
  const options = isTls ? await tlsOptions(server, signal) : {};
  const socket = isTls ? connectTls({ ...options, host, port }) : connectTcp({ host, port });
  await established(socket, isTls ? 'secureConnect' : 'connect', signal);
  // Many small questions at once on one connection; and firewalls forget those that are silent.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  return socket;
}

/** The encrypted socket on one that was agreed to be. @throws {Error} as `connect` does */
export async function upgrade(socket: Socket, server: LdapServer, signal: AbortSignal): Promise<Socket> {
  const secure = connectTls({ ...(await tlsOptions(server, signal)), host: server.host, socket });
  await established(secure, 'secureConnect', signal);
  return secure;
}

async function established(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  const connected = Promise.withResolvers<void>();
  socket.once(event, connected.resolve);
  // A later error closes the socket, and that is what the session looks at.
  socket.on('error', connected.reject);
  socket.once('close', () => connected.reject(new Error('the connection was closed')));
  try {
    await untilAborted(connected.promise, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Verification is Node's default and cannot be switched off here. */
async function tlsOptions({ tls }: LdapServer, signal: AbortSignal) {
  const { ca, ...rest } = tls;
  const trusted = typeof ca === 'function' ? await untilAborted(Promise.resolve(ca()), signal) : ca;
  return { ...rest, ...(trusted !== undefined && { ca: [trusted].flat() }) };
}
