import { createRemoteJWKSet, customFetch, errors } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters, RemoteJWKSet } from 'jose';
import { z } from 'zod';

import { untilAborted } from '../abort.ts';
import { AuthError, isAuthError } from '../errors.ts';
import { ageOf } from '../facts/clock-age.ts';
import { createFactClock } from '../facts/fact-age.ts';
import type { FactAges } from '../facts/fact-age.ts';
import { fetchDocument } from './fetch-document.ts';
import { discoverJwksUrl } from './issuer-metadata.ts';

const TIMEOUT_MS = 5_000;
/** A key that is not in the set, or does not fit, makes us look again, but not more often than this. */
const UNKNOWN_KEY_COOL_DOWN_MS = 30_000;
/** After a failure nobody asks the issuer for this long. */
const FAILURE_COOL_DOWN_MS = 5_000;
/** Older keys are refreshed in the background ... */
const REFRESH_AFTER_MS = 10 * 60_000;
/** ... and serve through an outage of the issuer until they are this old. */
const LAST_GOOD_MS = 60 * 60_000;

const keySchema = z.looseObject({ kty: z.string() });
/** One odd key loses that key alone: RFC 7517 §5 has what is not understood left out. */
const keySetSchema = z.object({
  keys: z
    .array(z.unknown())
    .transform((keys) => keys.filter((key) => keySchema.safeParse(key).success))
    .refine((keys) => keys.length > 0),
});

/** What the token may be blamed for; anything else that goes wrong with keys is the issuer's or ours. */
const tokenFaults: ReadonlySet<string> = new Set([
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JOSENotSupported.code,
]);

/** The public keys of one issuer. */
export interface KeySource {
  /** @throws {AuthError} `unavailable`; a JOSEError when the token names no key of the issuer */
  readonly keyFor: (header: JWSHeaderParameters | undefined, token: FlattenedJWSInput) => Promise<CryptoKey>;
  /**
   * Loads the keys again when they are older than 10 minutes: for what must not rest on older ones.
   * @throws {AuthError} `unavailable`; the signal's reason
   */
  readonly confirm: (signal: AbortSignal) => Promise<void>;
  /**
   * Loads the keys again unless that was done a moment ago: for a signature that fits none of them, since an issuer may
   * give a new key the id of the old one, or none. Whether they were loaded: where they cannot be, those known count.
   */
  readonly lookAgain: () => Promise<boolean>;
  /** How long ago the keys were last loaded. */
  readonly ages: FactAges;
  /**
   * When the keys that serve now were loaded, in milliseconds since the Unix epoch; `undefined` when there are none, or
   * they are older than 10 minutes and have to be looked at again.
   */
  readonly currentSince: () => number | undefined;
  /** Ends requests in flight. */
  readonly close: () => void;
}

/** Checked by `createTokenVerifier`. */
interface KeySourceOptions {
  readonly issuer: string;
  readonly jwksUrl: URL | undefined;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Keys from `jwksUrl`, or from where the issuer's metadata says they are: looked up on first use, and when they are there no longer. */
export function createKeySource(options: KeySourceOptions): KeySource {
  const { now } = options;
  const closing = new AbortController();
  const clock = createFactClock('keys', LAST_GOOD_MS, now);
  let failedAt = Number.NEGATIVE_INFINITY;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let keySet: Promise<RemoteJWKSet> | undefined =
    options.jwksUrl && Promise.resolve(remoteKeySet(options.jwksUrl));

  /** Spaces the attempts, so that an outage of the issuer does not become a storm of requests to it. */
  async function ask<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const retryAfterMs = FAILURE_COOL_DOWN_MS - ageOf(failedAt, now());
    if (retryAfterMs > 0) {
      throw new AuthError('unavailable', { message: 'the issuer failed a moment ago', retryAfterMs });
    }
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      return await untilAborted(request(signal), signal);
    } catch (cause) {
      failedAt = now();
      clock.failed();
      throw keysUnavailable(cause);
    }
  }

  function remoteKeySet(foundAt: URL): RemoteJWKSet {
    let url = foundAt;

    async function loadKeys(signal: AbortSignal) {
      try {
        return await keysAt(url, signal);
      } catch (error) {
        signal.throwIfAborted();
        const found = options.jwksUrl ?? (await discoverJwksUrl(options.issuer, signal));
        if (found.href === url.href) {
          throw error;
        }
        // They have moved; what is known of them serves until they are found.
        url = found;
        return keysAt(url, signal);
      }
    }

    return createRemoteJWKSet(url, {
      cooldownDuration: UNKNOWN_KEY_COOL_DOWN_MS,
      cacheMaxAge: LAST_GOOD_MS,
      [customFetch]: () =>
        ask(async (signal) => {
          const keys = await loadKeys(signal);
          loadedAt = now();
          clock.confirmed();
          return Response.json(keys);
        }),
    });
  }

  function currentKeySet(): Promise<RemoteJWKSet> {
    keySet ??= ask((signal) => discoverJwksUrl(options.issuer, signal))
      .then(remoteKeySet)
      .catch((error: unknown) => {
        keySet = undefined;
        throw error;
      });
    return keySet;
  }

  const isDue = (): boolean => ageOf(loadedAt, now()) >= REFRESH_AFTER_MS;

  return {
    async keyFor(header, token) {
      const keys = await currentKeySet();
      const age = ageOf(loadedAt, now());
      if (keys.fresh && age >= REFRESH_AFTER_MS) {
        // A failed refresh is not this request's problem: the last good keys still serve.
        const refreshed = keys.reload().catch(() => undefined);
        if (!Number.isFinite(age)) {
          // The clock was set back: nobody knows how old they are.
          await refreshed;
        }
      }
      try {
        return await keys(header, token);
      } catch (error) {
        if (isAuthError(error)) {
          throw error;
        }
        if (error instanceof errors.JOSEError && tokenFaults.has(error.code)) {
          throw error;
        }
        throw keysUnavailable(error);
      }
    },
    async confirm(signal) {
      if (!isDue()) {
        return;
      }
      const keys = await untilAborted(currentKeySet(), signal);
      try {
        await untilAborted(keys.reload(), signal);
      } catch (error) {
        signal.throwIfAborted();
        throw isAuthError(error) ? error : keysUnavailable(error);
      }
    },
    async lookAgain() {
      if (ageOf(loadedAt, now()) < UNKNOWN_KEY_COOL_DOWN_MS) {
        return false;
      }
      try {
        await (await currentKeySet()).reload();
        return true;
      } catch {
        // Told by whoever loads them next: this token is refused by the keys that are known.
        return false;
      }
    },
    currentSince: () => (isDue() ? undefined : loadedAt),
    ages: clock.ages,
    close: () => closing.abort(new Error('the token verifier is closed')),
  };
}

async function keysAt({ href }: URL, signal: AbortSignal): Promise<z.infer<typeof keySetSchema>> {
  const { status, text } = await fetchDocument(href, signal);
  if (status !== 200) {
    throw new Error(`the issuer responded with ${status} at ${href}`);
  }
  return keySetSchema.parse(JSON.parse(text));
}

function keysUnavailable(cause: unknown): AuthError {
  return new AuthError('unavailable', {
    message: "the issuer's keys cannot be loaded",
    retryAfterMs: FAILURE_COOL_DOWN_MS,
    cause,
  });
}
