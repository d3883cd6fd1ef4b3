import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { JsonObject } from '@mcp-parts/tool-kit';

import { isObject } from '../wire/message.ts';

/** What a session needs to be opened again by a process that has never seen it. */
export interface SessionState {
  /** The protocol version that was agreed. */
  readonly version: string;
  readonly client: { readonly name: string; readonly version: string };
  /** What the client can do. */
  readonly capabilities: JsonObject;
}

/** Makes and reads session ids that carry their state, signed and bound to one caller. */
export interface SessionIds {
  /** Visible ASCII without spaces (2025-11-25, basic/transports, "Session Management"). */
  readonly create: (state: SessionState, callerId: string) => string;
  /** `undefined` for an id that is not ours, is another caller's, or is older than a session may be. */
  readonly read: (id: string, callerId: string) => SessionState | undefined;
}

/** A client renews a session by initializing again; until then its id works in every process with the key. */
const MAX_AGE_MS = 24 * 60 * 60_000;

/** Capabilities of a client are a few words; more is cut to the names that are known. */
const MAX_STATE_BYTES = 2_048;
const MAX_ID_LENGTH = 4_096;
const KNOWN_CAPABILITIES = ['elicitation', 'sampling', 'roots', 'tasks', 'extensions'] as const;

/**
 * @param key At least 32 bytes; the same in every process that shares sessions.
 * @throws {RangeError} for a shorter key.
 */
export function createSessionIds(key: Uint8Array, now: () => number = Date.now): SessionIds {
  if (key.length < 32) {
    throw new RangeError(`sessionKey must have at least 32 bytes, got ${key.length}`);
  }
  const sign = (payload: string, callerId: string) =>
    createHmac('sha256', key).update(`${payload}\n${callerId}`).digest();

  return {
    create(state, callerId) {
      const { capabilities } = state;
      const content = {
        t: now(),
        r: randomBytes(9).toString('base64url'),
        v: state.version,
        n: state.client.name.slice(0, 128),
        s: state.client.version.slice(0, 128),
        c: JSON.stringify(capabilities).length > MAX_STATE_BYTES ? onlyKnown(capabilities) : capabilities,
      };
      const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
      return `${payload}.${sign(payload, callerId).toString('base64url')}`;
    },
    read(id, callerId) {
      const [payload, mac, ...others] = id.length > MAX_ID_LENGTH ? [] : id.split('.');
      if (payload === undefined || mac === undefined || others.length > 0) {
        return undefined;
      }
      const expected = sign(payload, callerId);
      const given = Buffer.from(mac, 'base64url');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        return undefined;
      }
      // What is signed was made above.
      const content = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
        readonly t: number;
        readonly v: string;
        readonly n: string;
        readonly s: string;
        readonly c: JsonObject;
      };
      return now() - content.t > MAX_AGE_MS
        ? undefined
        : {
            version: content.v,
            client: { name: content.n, version: content.s },
            capabilities: content.c,
          };
    },
  };
}

/** What one kind of client really says of itself; its inventions take no memory of every server. */
function onlyKnown(capabilities: JsonObject): JsonObject {
  return Object.fromEntries(
    KNOWN_CAPABILITIES.flatMap((name) => (isObject(capabilities[name]) ? [[name, {}]] : [])),
  );
}
