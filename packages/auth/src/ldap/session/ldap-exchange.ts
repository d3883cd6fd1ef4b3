// The only file that knows ldapts: it writes and reads the messages, the socket and the waiting are ours.
import type { Socket } from 'node:net';

import type * as ldaptsModule from 'ldapts';
import type { Filter, Message, SearchEntry } from 'ldapts';

import { untilAborted } from '../../abort.ts';
import { LdapLimitError, LdapResultError } from './ldap-errors.ts';
import type { LdapFilter } from './ldap-filter.ts';
import { createMessageFrames } from './message-frames.ts';

type Ldapts = typeof ldaptsModule;

/** StartTLS, RFC 4511 §4.14.1. */
const START_TLS = '1.3.6.1.4.1.1466.20037';

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

/** What is asked of a server. */
export type LdapRequest =
  | { readonly kind: 'bind'; readonly dn: string; readonly password: string }
  | { readonly kind: 'startTls' }
  | {
      readonly kind: 'search';
      readonly search: LdapSearch;
      readonly timeLimitSeconds: number;
      /** Asks for one page (RFC 2696); the first one has an empty cookie. @default all at once */
      readonly page?: { readonly size: number; readonly cookie: Uint8Array } | undefined;
    };

/** That it went well, and what was found. */
interface LdapResponse {
  readonly entries: readonly LdapEntry[];
  /** Where the next page begins. Empty after the last one; `undefined` from a server that knows no pages. */
  readonly cookie: Uint8Array | undefined;
}

/** Requests and responses on one socket, many at once: a message id tells whose response it is (RFC 4511 §4.1.1.1). */
export interface LdapExchange {
  /** Messages that the server has sent so far. */
  readonly received: number;
  /**
   * A search that nobody waits for any longer is abandoned (RFC 4511 §4.11); the others on this socket go on.
   * @throws {LdapResultError | LdapLimitError} when the server refuses, or has too much
   * @throws {Error} when the connection is lost; the signal's reason
   */
  readonly request: (request: LdapRequest, signal: AbortSignal) => Promise<LdapResponse>;
  /** Leaves the socket to somebody else, unread bytes excepted. */
  readonly detach: () => void;
}

/** Makes the exchange on a connected socket. */
export type CreateLdapExchange = (socket: Socket) => LdapExchange;

/**
 * Loads what writes and reads LDAP's messages. It is installed only where a directory is asked over LDAP.
 * @throws {TypeError} when it is not installed
 */
export async function loadLdapExchange(): Promise<CreateLdapExchange> {
  let ldapts: Ldapts;
  try {
    ldapts = await import('ldapts');
  } catch (cause) {
    throw new TypeError('an LDAP directory needs the package "ldapts": install it', { cause });
  }
  return (socket) => createExchange(ldapts, socket);
}

interface Pending {
  readonly message: Message;
  readonly entries: LdapEntry[];
  readonly take: (entry: SearchEntry) => void;
  readonly settle: PromiseWithResolvers<LdapResponse>;
}

function createExchange(ldapts: Ldapts, socket: Socket): LdapExchange {
  const parser = new ldapts.MessageParser();
  const pending = new Map<string, Pending>();
  let lastId = 0;
  let received = 0;

  function fail(error: Error): void {
    socket.destroy();
    for (const [id, { settle }] of pending) {
      pending.delete(id);
      settle.reject(error);
    }
  }

  parser.on('message', (message) => {
    received += 1;
    const id = String(message.messageId);
    const request = pending.get(id);
    // What was under way when its search was abandoned is nobody's.
    if (request === undefined || message instanceof ldapts.SearchReference) {
      return;
    }
    if (message instanceof ldapts.SearchEntry) {
      request.take(message);
      return;
    }
    pending.delete(id);
    const { status, errorMessage } = message;
    if (status !== 0) {
      request.settle.reject(new LdapResultError(status, { cause: new Error(errorMessage) }));
      return;
    }
    const control = message.controls?.find((given) => given instanceof ldapts.PagedResultsControl);
    request.settle.resolve({
      entries: request.entries,
      cookie: control && (control.value?.cookie ?? new Uint8Array()),
    });
  });
  // After a message that cannot be read, nobody knows where the next one begins.
  parser.on('error', fail);
  const frames = createMessageFrames();
  const onData = (chunk: Buffer): void => {
    try {
      for (const frame of frames.push(chunk)) {
        parser.read(frame, pending);
      }
    } catch (error) {
      fail(error instanceof Error ? error : new Error('a message cannot be read', { cause: error }));
    }
  };
  const onClose = (): void => fail(new Error('the connection was closed'));
  socket.on('data', onData);
  socket.once('close', onClose);

  function begin(message: Message, request: LdapRequest): Pending {
    const settle = Promise.withResolvers<LdapResponse>();
    const entries: LdapEntry[] = [];
    const take = (entry: SearchEntry): void => {
      const { maxEntries = 0, binaryAttributes = [] } = request.kind === 'search' ? request.search : {};
      entries.push(toEntry(entry, binaryAttributes));
      if (entries.length > maxEntries) {
        settle.reject(tooManyEntries(maxEntries));
      }
    };
    return { message, entries, take, settle };
  }

  return {
    get received() {
      return received;
    },
    async request(request, signal) {
      signal.throwIfAborted();
      if (socket.destroyed) {
        throw new Error('the connection is lost');
      }
      lastId += 1;
      const id = lastId;
      const message = toMessage(ldapts, id, request);
      const begun = begin(message, request);
      pending.set(String(id), begun);
      socket.write(message.write());
      try {
        return await untilAborted(begun.settle.promise, signal);
      } finally {
        const isUnanswered = pending.delete(String(id));
        // RFC 4511 §4.11: only these can be abandoned, and that is not answered.
        if (isUnanswered && request.kind === 'search' && !socket.destroyed) {
          lastId += 1;
          socket.write(new ldapts.AbandonRequest({ messageId: lastId, abandonId: id }).write());
        }
      }
    },
    detach() {
      socket.off('data', onData);
      socket.off('close', onClose);
    },
  };
}

/** There is more than was asked for. */
export function tooManyEntries(maxEntries: number): LdapLimitError {
  return new LdapLimitError(`the directory has more than ${maxEntries} entries for one search`);
}

function toMessage(ldapts: Ldapts, messageId: number, request: LdapRequest): Message {
  switch (request.kind) {
    case 'bind':
      return new ldapts.BindRequest({ messageId, dn: request.dn, password: request.password });
    case 'startTls':
      return new ldapts.ExtendedRequest({ messageId, oid: START_TLS });
    case 'search': {
      const { search, timeLimitSeconds: timeLimit, page } = request;
      return new ldapts.SearchRequest({
        messageId,
        baseDN: search.base,
        scope: search.scope,
        filter: toFilter(ldapts, search.filter),
        // "1.1" asks for names only, RFC 4511 §4.5.1.8.
        attributes: search.attributes.length === 0 ? ['1.1'] : [...search.attributes],
        timeLimit,
        controls:
          page === undefined
            ? []
            : [
                new ldapts.PagedResultsControl({
                  value: { size: page.size, cookie: Buffer.from(page.cookie) },
                }),
              ],
      });
    }
    default:
      return request satisfies never;
  }
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

function toEntry({ name, attributes }: SearchEntry, binaryAttributes: readonly string[]): LdapEntry {
  const binary = new Set(binaryAttributes.map((attribute) => attribute.toLowerCase()));
  const values = new Map<string, readonly (string | Uint8Array)[]>();
  for (const { type, values: texts, parsedBuffers } of attributes) {
    const key = type.toLowerCase();
    const list = binary.has(key) ? parsedBuffers : texts;
    if (list.length > 0) {
      values.set(key, list);
    }
  }
  return { dn: name, values };
}
