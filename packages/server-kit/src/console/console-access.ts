import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The shortest token that nobody guesses. */
const MIN_OPERATOR_TOKEN_LENGTH = 32;
const COOKIE = 'mcp-operator';
const SIGNED_IN_SECONDS = 8 * 60 * 60;

/** Knows the operators. */
export interface ConsoleAccess {
  readonly isOperator: (request: IncomingMessage) => boolean;
  /** The cookie of who knows the token; `undefined` for who does not. */
  readonly signIn: (token: string) => string | undefined;
  /** A cookie that ends the other. */
  readonly signOut: string;
}

/** @throws {RangeError} for a token that could be guessed. */
export function checkOperatorToken(token: string | undefined): string | undefined {
  if (token !== undefined && token.length < MIN_OPERATOR_TOKEN_LENGTH) {
    throw new RangeError(
      `operatorToken must have at least ${MIN_OPERATOR_TOKEN_LENGTH} characters, got ${token.length}`,
    );
  }
  return token;
}

/** Lets in who knows the token, by a header or by a cookie that ends with the process, and after eight hours. */
export function createConsoleAccess(token: string, now: () => number = Date.now): ConsoleAccess {
  const expected = digest(token);
  const cookieKey = randomBytes(32);
  const seal = (endsAt: string) => createHmac('sha256', cookieKey).update(endsAt).digest('base64url');
  const isToken = (given: string) => timingSafeEqual(digest(given), expected);

  function isCookie(value: string): boolean {
    const [endsAt = '', signature = ''] = value.split('.');
    // Digests have one length, whatever was given.
    return timingSafeEqual(digest(signature), digest(seal(endsAt))) && Number(endsAt) > now();
  }

  // Without `Secure`: a tunnel to the port of operators speaks plain HTTP on loopback.
  const attributes = 'Path=/console; HttpOnly; SameSite=Strict';
  return {
    isOperator({ headers: { authorization, cookie } }) {
      const bearer = /^Bearer (\S+)$/iu.exec(authorization ?? '')?.[1];
      if (bearer !== undefined) {
        return isToken(bearer);
      }
      const value = cookieOf(cookie ?? '');
      return value !== undefined && isCookie(value);
    },
    signIn(given) {
      if (!isToken(given)) {
        return undefined;
      }
      const endsAt = String(now() + SIGNED_IN_SECONDS * 1_000);
      return `${COOKIE}=${endsAt}.${seal(endsAt)}; Max-Age=${SIGNED_IN_SECONDS}; ${attributes}`;
    },
    signOut: `${COOKIE}=; Max-Age=0; ${attributes}`,
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function cookieOf(header: string): string | undefined {
  const prefix = `${COOKIE}=`;
  const pair = header.split(/; */u).find((one) => one.startsWith(prefix));
  return pair?.slice(prefix.length);
}
