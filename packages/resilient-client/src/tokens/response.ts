import { z } from 'zod';

import { ClientError } from '../errors/client-error.ts';
import type { Failure } from '../errors/failure.ts';
import { cleanText } from '../errors/problem.ts';
import { parseRetryAfterMs } from '../http/retry-after.ts';
import { BEARER_VALUE } from './source.ts';

/**
 * The token in a response of a token endpoint (RFC 6749 §5).
 * @throws {ClientError} when there is none, or one that cannot be used
 */
export async function readTokenResponse(
  response: Response,
  now: number,
): Promise<{ value: string; lifeMs: number }> {
  const { status } = response;
  const json = await readJson(response);
  if (status === 200) {
    // Not oauth4webapi's own reading: it would also check an ID token that nobody asked for.
    const parsed = tokenResponse.safeParse(json);
    if (!parsed.success) {
      throw tokenError({ code: 'invalid_response', sent: 'yes', status, cause: parsed.error });
    }
    return { value: parsed.data.access_token, lifeMs: (parsed.data.expires_in || DEFAULT_LIFE_S) * 1000 };
  }
  throw refusal(response, json, now);
}

/** What a response other than 200 means: the server is in trouble, or it refuses. */
export function refusal({ status, headers }: Response, json: unknown, now: number): ClientError {
  const oauth = oauthError.safeParse(json);
  const cause = oauth.success
    ? new Error(cleanText(`${oauth.data.error} ${oauth.data.error_description ?? ''}`))
    : undefined;
  const retryAfterMs = parseRetryAfterMs(headers.get('retry-after') ?? undefined, now);
  const failure = { sent: 'yes', status, retryAfterMs, cause } as const;
  if (status >= 500) {
    return tokenError({ ...failure, code: 'server_error' });
  }
  if (status === 429) {
    return tokenError({ ...failure, code: 'throttled' });
  }
  return tokenError({ ...failure, code: 'unauthenticated' });
}

/** The body as JSON, or undefined when it is something else. */
export async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // What an unreadable body means is for the status and the schema to say.
    return undefined;
  }
}

/** A failure to get a token. A token request can be repeated without harm. */
export function tokenError(failure: Failure): ClientError {
  return new ClientError(failure, {
    upstream: 'sign-in service',
    endpoint: 'token',
    attempts: 1,
    isRepeatable: true,
    explain: undefined,
  });
}

const tokenResponse = z.object({
  access_token: z.string().regex(BEARER_VALUE),
  token_type: z.string().regex(/^bearer$/i),
  // RFC 6749 §5.1 only recommends it, and some servers send a string, null, or 0 for a token that does not end.
  expires_in: z.coerce.number().nonnegative().nullish(),
});
/** Of a token whose server says nothing of its life, in seconds. */
const DEFAULT_LIFE_S = 300;

const oauthError = z.object({ error: z.string(), error_description: z.string().optional().catch(undefined) });
