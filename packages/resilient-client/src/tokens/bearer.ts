import { untilAborted } from '../time/stop-signal.ts';
import { BEARER_VALUE, type TokenSource } from './source.ts';

/**
 * A token source that asks `read` before every attempt and keeps nothing: for a token that somebody else renews, such
 * as a file that the platform mounts, or the one of the present caller. It may be made anew for each call: whose call it
 * is shows in the token. After a 401 it is asked once more.
 */
export function createBearerSource(
  read: (options: { signal: AbortSignal }) => string | Promise<string>,
): TokenSource {
  return {
    async get(options) {
      const given = read(options);
      const value = typeof given === 'string' ? given : await untilAborted(given, options.signal);
      // The value itself must not get into an error.
      if (!BEARER_VALUE.test(value)) {
        throw new TypeError('a bearer token must be letters, digits and -._~+/ (RFC 6750)');
      }
      return { value };
    },
    invalidate() {},
  };
}
