import { checkWhole } from '../check-number.ts';
import { silentLogger, type Logger } from '../logger.ts';

/** Which Redis (or Valkey) the replicas share, and where in it. */
export interface RedisOptions {
  /** `redis://` or, with TLS, `rediss://`, then host, port and, after a slash, the number of the database. */
  readonly url: string;
  /** Of a user of Redis's access control list. @default the one in the URL, or none */
  readonly username?: string | undefined;
  /** @default the one in the URL, or none */
  readonly password?: string | undefined;
  /** PEM of whom the server's certificate must come from, for `rediss://`. @default whom Node trusts */
  readonly ca?: string | undefined;
  /**
   * What every key begins with; servers with the same one share everything. What it has in braces keeps the keys
   * together where Redis is divided. @default '{mcp-parts}:'
   */
  readonly prefix?: string | undefined;
  /** How long a command may take before it counts as failed, in milliseconds: 10 to 10_000. @default 250 */
  readonly commandTimeoutMs?: number | undefined;
  /** How long opening a connection may take, in milliseconds: 100 to 60_000. @default 2_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Told when Redis goes and comes back. @default nobody */
  readonly logger?: Logger | undefined;
  /** Spreads the attempts to connect again, from 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** The options, filled in and checked. */
export interface ResolvedRedisOptions {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** `undefined` without TLS. */
  readonly tls: { readonly ca?: string; readonly servername?: string } | undefined;
  readonly prefix: string;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
  readonly random: () => number;
}

/**
 * @throws {TypeError} naming the option that is wrong; never with the URL, which may hold a password.
 * @throws {RangeError} naming the number.
 */
export function resolveRedisOptions(options: RedisOptions): ResolvedRedisOptions {
  const { prefix = '{mcp-parts}:', commandTimeoutMs = 250, connectTimeoutMs = 2_000 } = options;
  const { logger = silentLogger, random = Math.random, ca } = options;
  const { protocol, hostname, port, db, ...inUrl } = readUrl(options.url);
  const username = options.username ?? inUrl.username;
  const password = options.password ?? inUrl.password;
  if (typeof prefix !== 'string' || !/^[\x21-\x7e]{1,100}$/u.test(prefix)) {
    throw new TypeError('prefix must be 1 to 100 visible ASCII characters');
  }
  if (ca !== undefined && protocol !== 'rediss:') {
    throw new TypeError('ca counts with rediss:// only: the url is without TLS');
  }
  if (username !== undefined && password === undefined) {
    throw new TypeError('password must be given with a username, got undefined');
  }
  checkWhole('commandTimeoutMs', commandTimeoutMs, 10, 10_000);
  checkWhole('connectTimeoutMs', connectTimeoutMs, 100, 60_000);
  const tls = { ...(ca !== undefined && { ca }) };
  return {
    host: hostname,
    port,
    db,
    username,
    password,
    tls: protocol === 'rediss:' ? tls : undefined,
    prefix,
    commandTimeoutMs,
    connectTimeoutMs,
    logger,
    random,
  };
}

function readUrl(text: string) {
  const url = URL.parse(text);
  const database = /^\/?(?<number>\d{0,5})$/u.exec(url?.pathname ?? '')?.groups?.['number'];
  const username = decoded(url?.username ?? '');
  const password = decoded(url?.password ?? '');
  if (
    url === null ||
    !['redis:', 'rediss:'].includes(url.protocol) ||
    url.hostname === '' ||
    database === undefined ||
    url.search !== '' ||
    url.hash !== '' ||
    url.port === '0' ||
    username === undefined ||
    password === undefined
  ) {
    throw new TypeError(
      'url must be redis://HOST:PORT/DATABASE, or rediss:// for TLS, where port and database may be absent',
    );
  }
  return {
    protocol: url.protocol,
    // IPv6 has brackets in a URL and none in a socket.
    hostname: url.hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(database),
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

/** `undefined` where a `%` stands for itself, which a URL spells `%25`. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
