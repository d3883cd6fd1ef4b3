import type { Reading } from '../exchange/question.ts';
import type { JsonObject } from '../json.ts';

/** What a person has said who has not accepted (2025-11-25, client/elicitation, "Response Actions"). */
export function readRefusal({ action }: JsonObject): Reading<never> {
  if (action === 'decline') {
    return { ok: true, answer: { outcome: 'declined' } };
  }
  return action === 'cancel'
    ? { ok: true, answer: { outcome: 'cancelled' } }
    : { ok: false, problem: 'it is neither accepted nor declined' };
}
