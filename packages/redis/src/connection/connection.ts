import { Redis } from 'ioredis';

import { RedisError } from '../errors.ts';
import { createBreaker } from './breaker.ts';
import { findForgetfulness, findProblem } from './check-server.ts';
import type { ResolvedRedisOptions } from './redis-options.ts';

/** In what connections differ. */
interface OpenOptions {
  readonly commandTimeout?: number;
  readonly lazyConnect?: boolean;
  readonly maxRetriesPerRequest?: number | null;
}

/** One connection for commands that somebody waits for, and the means to open others. */
export interface Connection {
  readonly prefix: string;
  /**
   * Sends commands and gives their reply, or fails within the time for a command: at once where Redis is known to be gone.
   * Nothing is kept to be sent later.
   *
   * @throws {RedisError} `unavailable`, `closed`
   */
  readonly run: <T>(send: (client: Redis) => Promise<T>) => Promise<T>;
  /**
   * Whether what Redis accepts survives its restart: asked once it can be reached, and logged if that is later.
   *
   * @throws {RedisError} `unsuitable`
   */
  readonly checkDurable: () => Promise<void>;
  /** Whether commands reach Redis now, as far as is known. */
  readonly isReachable: () => boolean;
  /** Opens one more connection, for commands that wait in Redis. Its owner disconnects it. */
  readonly open: (options: OpenOptions) => Redis;
  /** Called each time when Redis has come back. Returns how to stop that. */
  readonly onBack: (listener: () => void) => () => void;
  readonly close: () => Promise<void>;
}

/** The longest pause between two attempts to connect. */
const MAX_RETRY_MS = 2_000;
const FIRST_RETRY_MS = 50;
/** A connection on which nothing has come for so long, although something was asked, is given up. */
const SILENCE_MS = 5_000;

/**
 * Connects, and waits for that for one attempt. Where Redis is not there, it goes on trying behind the caller's back.
 *
 * @throws {RedisError} `unsuitable`
 */
export async function connect(options: ResolvedRedisOptions): Promise<Connection> {
  const { logger, random, commandTimeoutMs, prefix } = options;
  const breaker = createBreaker();
  const listeners = new Set<() => void>();
  let isClosed = false;
  let problem: RedisError | undefined;
  let wasReachable = true;

  const open = (more: OpenOptions): Redis => {
    const client = new Redis({
      ...addressOf(options),
      connectTimeout: options.connectTimeoutMs,
      enableOfflineQueue: false,
      // What waits for its reply when a connection ends has failed; else it would wait for ever.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      socketTimeout: SILENCE_MS,
      // A replica that was the master a moment ago: ask the address again.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
      // All replicas lose Redis at the same moment, and must not come back at the same moment.
      retryStrategy: (attempt) =>
        Math.round(
          (0.5 + random() / 2) * Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10)),
        ),
      ...more,
    });
    client.on('error', () => undefined);
    return client;
  };

  const client = open({ commandTimeout: commandTimeoutMs, lazyConnect: true });
  const noteReachable = (isReachable: boolean, reason: string) => {
    if (isReachable !== wasReachable && !isClosed) {
      wasReachable = isReachable;
      if (isReachable) {
        logger.info({}, 'redis is back');
      } else {
        logger.warn({ reason }, 'redis is gone');
      }
    }
  };
  client.on('close', () => noteReachable(false, 'the connection is closed'));

  async function welcome(): Promise<void> {
    const found = await findProblem(client);
    if (found instanceof RedisError) {
      problem = found;
      return;
    }
    for (const concern of found) {
      logger.warn({ concern }, 'redis could be set up better');
    }
    problem = undefined;
    breaker.replied();
    noteReachable(true, '');
    for (const listener of listeners) {
      listener();
    }
  }
  const onBack = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const firstTry = client.connect().then(welcome, () => noteReachable(false, 'it cannot be reached'));
  await firstTry;
  if (problem !== undefined) {
    client.disconnect();
    throw problem;
  }
  client.on('ready', () => {
    welcome().then(
      () => problem && logger.error({ err: problem }, 'redis cannot be used'),
      (error: unknown) => logger.warn({ err: error }, 'redis was not checked'),
    );
  });

  return {
    prefix,
    open,
    isReachable: () => client.status === 'ready' && !breaker.isOpen() && problem === undefined,
    async run(send) {
      if (isClosed) {
        throw new RedisError('closed', 'the connection to redis is closed');
      }
      if (problem !== undefined) {
        throw new RedisError('unavailable', problem.message, { cause: problem });
      }
      if (client.status !== 'ready' || !breaker.mayAsk()) {
        throw new RedisError('unavailable', 'redis cannot be reached');
      }
      try {
        const reply = await send(client);
        breaker.replied();
        noteReachable(true, '');
        return reply;
      } catch (error) {
        if (error instanceof Error && error.message === 'Command timed out') {
          breaker.timedOut();
          if (breaker.isOpen()) {
            noteReachable(false, 'it does not reply');
          }
        }
        // An error of its own says that it was not done.
        const mayBeDone = !(error instanceof Error && error.name === 'ReplyError');
        throw new RedisError('unavailable', `redis: ${nameOf(error)}`, { cause: error, mayBeDone });
      }
    },
    async checkDurable() {
      const check = async () => {
        const found = client.status === 'ready' ? await findForgetfulness(client) : undefined;
        if (found !== undefined) {
          problem = found;
          logger.error({ err: found }, 'redis cannot be used');
        }
      };
      listeners.add(() => void check().catch(() => undefined));
      await check();
      if (problem !== undefined) {
        throw problem;
      }
    },
    onBack,
    async close() {
      isClosed = true;
      // What was sent has its reply, or none that anybody waits for.
      client.disconnect();
    },
  };
}

function addressOf({ host, port, db, username, password, tls }: ResolvedRedisOptions) {
  return { host, port, db, username, password, ...(tls !== undefined && { tls }) };
}

/** The error codes of Redis are the first words of its errors; the rest may hold what was sent. */
function nameOf(error: unknown): string {
  return error instanceof Error ? (/^[A-Z]+\b/u.exec(error.message)?.[0] ?? error.message) : String(error);
}
