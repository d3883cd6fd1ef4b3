import { untilAborted } from '../abort.ts';
import type { DirectoryLogger } from '../directory/directory.ts';
import { ageOf } from '../facts/clock-age.ts';
import { LdapUnreachableError, isAboutServer } from './session/ldap-errors.ts';
import type { LdapEntry, LdapSearch } from './session/ldap-exchange.ts';
import { ANY_ENTRY } from './session/ldap-filter.ts';
import type { LdapSession, OpenLdapSession } from './session/ldap-session.ts';
import type { LdapServer } from './session/ldap-transport.ts';

/** A server that failed is not the first choice for this long. */
const AVOID_MS = 30_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** One search may be too much for a server that serves all others: this many refusals in a row are about the server. */
const REFUSALS_BEFORE_REST = 3;
/** The cheapest search there is: the entry about the server itself. An error is a sign of life too. */
const ARE_YOU_THERE: LdapSearch = {
  base: '',
  scope: 'base',
  filter: ANY_ENTRY,
  attributes: [],
  maxEntries: 1,
};

/** Checked by `openLdapDirectory`. */
export interface ServerLinkOptions {
  readonly openSession: OpenLdapSession;
  /** Deadline of connecting and signing in, and of each search, in milliseconds. */
  readonly timeoutMs: number;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
  /** Told when the server fails, once for each attempt that is made, and when it answers again. @default nobody */
  readonly logger?: DirectoryLogger | undefined;
}

/** One server and what is known of its health: one session, shared by all searches. */
export interface ServerLink {
  /**
   * `preferred`; `second` a while after a failure, or while it is not sure that it is there; `resting` just after a
   * failure, when it is not to be asked.
   */
  readonly state: () => 'preferred' | 'second' | 'resting';
  /**
   * @throws {LdapResultError | LdapLimitError} when the server refuses, or has too much
   * @throws {LdapUnreachableError} when it does not answer; the signal's reason
   */
  readonly search: (search: LdapSearch, signal: AbortSignal) => Promise<readonly LdapEntry[]>;
  /** Cuts the connection. */
  readonly close: () => void;
}

/** Opens nothing before the first search; what is being opened ends with `closing`. */
export function createServerLink(
  address: LdapServer,
  closing: AbortSignal,
  options: ServerLinkOptions,
): ServerLink {
  const { openSession, timeoutMs, now, random, logger } = options;
  const name = { host: address.host, port: address.port };
  let session: LdapSession | undefined;
  /** Everybody who needs a session meanwhile waits for this one. */
  let opening: Promise<LdapSession> | undefined;
  /** Failures in a row. */
  let failures = 0;
  /** Searches in a row that it called itself too busy for. */
  let refusals = 0;
  /** The session on which a search was late and nothing came since: being asked whether it is there. */
  let doubted: LdapSession | undefined;
  /** Since when another server is preferred, for `AVOID_MS` ... */
  let avoidedAt = Number.NEGATIVE_INFINITY;
  /** ... and since when, and for how long, it is not asked at all. */
  let rest = { at: Number.NEGATIVE_INFINITY, forMs: 0 };

  function currentSession(): Promise<LdapSession> {
    if (session?.isOpen === true) {
      return Promise.resolve(session);
    }
    opening ??= open().finally(() => (opening = undefined));
    return opening;
  }

  async function open(): Promise<LdapSession> {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)]);
    try {
      session = await openSession(address, signal);
      return session;
    } catch (cause) {
      closing.throwIfAborted();
      backOff(cause);
      throw cause instanceof LdapUnreachableError
        ? cause
        : new LdapUnreachableError('no session with the directory server', { cause });
    }
  }

  function backOff(error: unknown): void {
    const maxMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures);
    failures += 1;
    avoidedAt = now();
    const retryInMs = Math.ceil(maxMs * (0.5 + random() / 2));
    rest = { at: avoidedAt, forMs: retryInMs };
    logger?.error({ ...name, failures, retryInMs, err: error }, 'directory server failed');
  }

  /** Many searches fail with one session: it counts once. */
  function giveUp(failed: LdapSession, error: unknown): void {
    failed.close();
    if (session !== failed) {
      return;
    }
    session = undefined;
    if (error instanceof LdapUnreachableError && error.isConnectionLost) {
      avoidedAt = now();
    } else {
      backOff(error);
    }
  }

  /** Any answer will do, also an error: the server is there, and not too busy to say so. */
  function answered(): void {
    if (failures > 0) {
      logger?.info(name, 'directory server answers again');
    }
    failures = 0;
    refusals = 0;
    avoidedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * A late search says little about the server: others may be served. Only one that answers nothing at all is given
   * up, with all that wait for it. Asked once, however many searches were late.
   */
  async function doubt(session: LdapSession): Promise<void> {
    if (doubted === session) {
      return;
    }
    doubted = session;
    try {
      await session.search(ARE_YOU_THERE, { timeoutMs, signal: closing });
    } catch (error) {
      if (!closing.aborted && error instanceof LdapUnreachableError) {
        giveUp(session, error);
      }
    } finally {
      doubted = doubted === session ? undefined : doubted;
    }
  }

  /** Looks at what a failed search says about the server. */
  function judge(error: unknown, used: LdapSession, receivedBefore: number): void {
    if (!isAboutServer(error)) {
      answered();
    } else if (!(error instanceof LdapUnreachableError)) {
      refusals += 1;
      avoidedAt = now();
      if (refusals >= REFUSALS_BEFORE_REST) {
        refusals = 0;
        backOff(error);
      }
    } else if (error.isConnectionLost) {
      giveUp(used, error);
    } else if (used.received === receivedBefore) {
      void doubt(used);
    }
  }

  return {
    state() {
      const at = now();
      if (ageOf(rest.at, at) < rest.forMs) {
        return 'resting';
      }
      return ageOf(avoidedAt, at) < AVOID_MS || doubted !== undefined ? 'second' : 'preferred';
    },
    async search(search, signal) {
      const used = await untilAborted(currentSession(), signal);
      const receivedBefore = used.received;
      try {
        const entries = await used.search(search, { timeoutMs, signal });
        answered();
        return entries;
      } catch (error) {
        if (!signal.aborted) {
          judge(error, used, receivedBefore);
        }
        throw error;
      }
    },
    close: () => session?.close(),
  };
}
