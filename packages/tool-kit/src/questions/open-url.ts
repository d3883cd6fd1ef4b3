import type { Question } from '../exchange/question.ts';
import { readRefusal } from './refusal.ts';

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Sends the person to a page, for what no client should see, such as a secret or a payment. Accepted means that the
 * person agreed to go there, not that they are done: look yourself. The page must find out who comes, and the URL say
 * nothing of the person (2025-11-25, client/elicitation, "URL Mode").
 *
 * @throws {TypeError} for a URL that is not `https:`, nor on this machine.
 */
export function openUrl(message: string, url: string): Question<undefined> {
  const parsed = URL.parse(url);
  const isSafe =
    parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && LOOPBACK.includes(parsed.hostname));
  if (parsed === null || !isSafe) {
    throw new TypeError('openUrl: url must be an absolute https: URL');
  }
  return {
    method: 'elicitation/create',
    params: { mode: 'url', message, url: parsed.href },
    capability: { elicitation: { url: {} } },
    read: (result) =>
      result['action'] === 'accept'
        ? { ok: true, answer: { outcome: 'accepted', value: undefined } }
        : readRefusal(result),
  };
}
