import { explainResponse } from './explain.ts';
import type { FailedCall, Failure } from './failure.ts';
import { cleanText } from './problem.ts';

/** The sentences a person or a model reads: what failed, what the upstream said, what to do next. */
export function publicMessageFor(failure: Failure, call: FailedCall & { isRetryable: boolean }): string {
  const explained = explainResponse(call.explain, failure.status, failure.problem);
  const sentences = [explained ?? describe(failure, call)];
  const detail = failure.problem?.detail ?? failure.problem?.title;
  // A 5xx speaks of the upstream's insides; a 4xx speaks of the request.
  if (detail !== undefined && failure.status !== undefined && failure.status < 500) {
    const quote = cleanText(detail);
    if (quote !== '') {
      sentences.push(`The ${call.upstream} said: "${quote}"`);
    }
  }
  if (isOutcomeUnknown(failure, call)) {
    sentences.push('The request may have been carried out: check before you repeat it.');
  } else if (call.isRetryable && failure.code !== 'cancelled') {
    sentences.push(failure.retryAfterMs === undefined ? TRY_AGAIN_ONCE : tryAgainIn(failure.retryAfterMs));
  }
  return sentences.join(' ');
}

function describe(
  { code, status, sent, hint }: Failure,
  { upstream, isRetryable }: { upstream: string; isRetryable: boolean },
): string {
  switch (code) {
    case 'cancelled':
      return `The call to the ${upstream} was cancelled. Repeat it only if it is still wanted.`;
    case 'deadline_exceeded':
    case 'timeout':
      return `The ${upstream} did not answer in time.`;
    case 'network':
      return sent === 'no'
        ? `The ${upstream} could not be reached.`
        : `The connection to the ${upstream} broke.`;
    case 'circuit_open':
      return `The ${upstream} keeps failing and is left alone for a while; nothing was sent.`;
    case 'throttled':
      return `The ${upstream} is receiving too many requests and refused this one.`;
    case 'overloaded':
      return `Too many calls to the ${upstream} are waiting; nothing was sent.`;
    case 'unauthenticated':
      if (isRetryable) {
        return `This server could not sign in to the ${upstream}; nothing was sent.`;
      }
      return sent === 'no'
        ? `This server was refused a token for the ${upstream}; nothing was sent. Do not try again; tell the operator of this server.`
        : `The ${upstream} does not accept this server's credentials. Do not try again; tell the operator of this server.`;
    case 'forbidden':
      return `The ${upstream} does not allow this. Do not try again; ask its owner for access.`;
    case 'not_found':
      return `The ${upstream} does not know what was asked for. Check the names and ids before you try again.`;
    case 'conflict':
      return `The ${upstream} refused this because of its current state. Look at that state before you try again.`;
    case 'rejected':
      return `The ${upstream} rejected the request as invalid. Correct it before you try again.`;
    case 'server_error':
      return status === 501
        ? `The ${upstream} does not support this. Do not try again.`
        : `The ${upstream} failed.`;
    case 'invalid_response':
      return `The ${upstream} gave a response that this server does not understand. Do not try again; tell the operator of this server.`;
    case 'response_too_large':
      return `The response of the ${upstream} is too large. Do not try the same again; ask for less.`;
    case 'invalid_request':
      return `Nothing was sent to the ${upstream}, because the request is not valid: ${hint ?? 'it does not fit the operation'}. Correct it before you try again.`;
    default:
      return code satisfies never;
  }
}

/** Whether a write may stand although the call failed. */
function isOutcomeUnknown({ code, sent, status }: Failure, { isRepeatable }: FailedCall): boolean {
  // 501 says that there is nothing that could have been carried out.
  if (isRepeatable || status === 501) {
    return false;
  }
  return sent === 'maybe' || (sent === 'yes' && UNCLEAR_ANSWERS.has(code));
}

// A response came, or began to, and does not tell whether the work was done.
const UNCLEAR_ANSWERS: ReadonlySet<Failure['code']> = new Set([
  'server_error',
  'network',
  'timeout',
  'deadline_exceeded',
  'cancelled',
  'invalid_response',
  'response_too_large',
]);

// A model that reads "later" either tries at once or never.
const TRY_AGAIN_ONCE = 'Try again in 30 s; if it still fails, tell the operator of this server.';

const DAY_SECONDS = 86_400;

function tryAgainIn(delayMs: number): string {
  const seconds = Math.max(1, Math.ceil(delayMs / 1000));
  if (seconds > DAY_SECONDS) {
    return 'Do not try again: it asks to be left alone for more than a day. Tell the person.';
  }
  return seconds < 120 ? `Try again in ${seconds} s.` : `Try again in ${Math.ceil(seconds / 60)} min.`;
}
