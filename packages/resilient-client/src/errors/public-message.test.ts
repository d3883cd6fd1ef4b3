import { describe, expect, it } from 'vitest';

import { ClientError } from './client-error.ts';
import type { FailedCall, Failure } from './failure.ts';

const messageOf = (failure: Failure, call: Partial<FailedCall> = {}) =>
  new ClientError(failure, {
    upstream: 'thing service',
    endpoint: 'things.create',
    attempts: 1,
    isRepeatable: true,
    explain: undefined,
    ...call,
  }).publicMessage;

const failures: readonly Failure[] = [
  { code: 'cancelled', sent: 'no' },
  { code: 'deadline_exceeded', sent: 'no' },
  { code: 'timeout', sent: 'maybe' },
  { code: 'network', sent: 'no' },
  { code: 'network', sent: 'maybe' },
  { code: 'circuit_open', sent: 'no', retryAfterMs: 41_500 },
  { code: 'throttled', sent: 'yes', status: 429 },
  { code: 'throttled', sent: 'yes', status: 429, retryAfterMs: 150_000 },
  { code: 'overloaded', sent: 'no' },
  { code: 'unauthenticated', sent: 'no', isTransient: true },
  { code: 'unauthenticated', sent: 'no', isTransient: false },
  { code: 'unauthenticated', sent: 'yes', status: 401 },
  { code: 'forbidden', sent: 'yes', status: 403 },
  { code: 'not_found', sent: 'yes', status: 404 },
  { code: 'conflict', sent: 'yes', status: 409 },
  { code: 'rejected', sent: 'yes', status: 422 },
  { code: 'server_error', sent: 'yes', status: 503 },
  { code: 'server_error', sent: 'yes', status: 501 },
  { code: 'invalid_response', sent: 'yes', status: 200 },
  { code: 'response_too_large', sent: 'yes', status: 200 },
  { code: 'invalid_request', sent: 'no', hint: '"id" must not be empty' },
];

describe('the message for people and models', () => {
  it('says what failed and what to do next, for a call that can be repeated', () => {
    expect(failures.map((failure) => messageOf(failure)).join('\n')).toMatchInlineSnapshot(`
      "The call to the thing service was cancelled. Repeat it only if it is still wanted.
      The thing service did not answer in time. Try again in 30 s; if it still fails, tell the operator of this server.
      The thing service did not answer in time. Try again in 30 s; if it still fails, tell the operator of this server.
      The thing service could not be reached. Try again in 30 s; if it still fails, tell the operator of this server.
      The connection to the thing service broke. Try again in 30 s; if it still fails, tell the operator of this server.
      The thing service keeps failing and is left alone for a while; nothing was sent. Try again in 42 s.
      The thing service is receiving too many requests and refused this one. Try again in 30 s; if it still fails, tell the operator of this server.
      The thing service is receiving too many requests and refused this one. Try again in 3 min.
      Too many calls to the thing service are waiting; nothing was sent. Try again in 30 s; if it still fails, tell the operator of this server.
      This server could not sign in to the thing service; nothing was sent. Try again in 30 s; if it still fails, tell the operator of this server.
      This server was refused a token for the thing service; nothing was sent. Do not try again; tell the operator of this server.
      The thing service does not accept this server's credentials. Do not try again; tell the operator of this server.
      The thing service does not allow this. Do not try again; ask its owner for access.
      The thing service does not know what was asked for. Check the names and ids before you try again.
      The thing service refused this because of its current state. Look at that state before you try again.
      The thing service rejected the request as invalid. Correct it before you try again.
      The thing service failed. Try again in 30 s; if it still fails, tell the operator of this server.
      The thing service does not support this. Do not try again.
      The thing service gave a response that this server does not understand. Do not try again; tell the operator of this server.
      The response of the thing service is too large. Do not try the same again; ask for less.
      Nothing was sent to the thing service, because the request is not valid: "id" must not be empty. Correct it before you try again."
    `);
  });

  it('names no time that nobody waits for', () => {
    const asked = (retryAfterMs: number) =>
      messageOf({ code: 'throttled', sent: 'yes', status: 429, retryAfterMs });
    expect(asked(86_400_000)).toContain('Try again in 1440 min.');
    expect(asked(Number.MAX_SAFE_INTEGER)).toMatch(
      /Do not try again: .* for more than a day\. Tell the person\.$/u,
    );
  });

  it('says to check first where a write may stand, and never to try again', () => {
    const messages = failures
      .filter(({ sent }) => sent !== 'no')
      .map((failure) => messageOf(failure, { isRepeatable: false }));

    expect(messages.filter((text) => /Try again in/.test(text))).toEqual([
      'The thing service is receiving too many requests and refused this one. Try again in 30 s; if it still fails, tell the operator of this server.',
      'The thing service is receiving too many requests and refused this one. Try again in 3 min.',
    ]);
    expect(messages.filter((text) => text.includes('check before you repeat it'))).toHaveLength(5);
  });

  it.each(failures)('says what to do next, and not two different things: $code, $status', (failure) => {
    for (const isRepeatable of [true, false]) {
      const message = messageOf(failure, { isRepeatable });
      expect(message).toMatch(/Do not try|[Tt]ry again|before you repeat it|Repeat it only/);
      expect(message).not.toMatch(/Try again in .*(Do not|repeat it)|(Do not|repeat it).*Try again in/);
    }
  });
});
