import type { JsonObject } from '../json.ts';
import type { CallState } from './ask-by-retry.ts';
import type { Retry } from './channel.ts';
import type { Conversation } from './conversation.ts';
import type { StateBinding, StateSeal } from './request-state.ts';

/** What a client keeps for a call, and sends again, in characters. */
const MAX_STATE_LENGTH = 65_536;

/** What is known of the rounds before this one, or that the client is not believed. */
type Resumed =
  | { readonly ok: true; readonly state: CallState }
  | { readonly ok: false; readonly isExpired: boolean };

/** What the client was given to keep in the round before; `undefined` when it brings nothing. */
export function resumeRound(
  retry: Retry | undefined,
  binding: StateBinding,
  seal: StateSeal,
): Resumed | undefined {
  if (retry?.state === undefined) {
    return undefined;
  }
  const opened =
    typeof retry.state === 'string'
      ? seal.open(retry.state, binding)
      : { ok: false as const, isExpired: false };
  // What opens was sealed below.
  return opened.ok ? { ok: true, state: opened.content as CallState } : opened;
}

/**
 * The result that ends a round and asks the client (2026-07-28, basic/patterns/mrtr).
 *
 * @throws {RangeError} when the call wants more kept than a request can carry.
 */
export function inputRequired(
  questions: ReturnType<Conversation['next']>,
  binding: StateBinding,
  seal: StateSeal,
  expiresAt: number,
): JsonObject {
  const requestState = seal.seal(questions?.state, binding, expiresAt);
  if (requestState.length > MAX_STATE_LENGTH) {
    throw new RangeError(`what a call keeps for its next round must be short, got ${requestState.length}`);
  }
  return { resultType: 'input_required', inputRequests: questions?.requests, requestState };
}
