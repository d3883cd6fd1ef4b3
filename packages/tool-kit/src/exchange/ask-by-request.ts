import { withoutUnseen } from '../visible-text.ts';
import type { Channel, ClientReply } from './channel.ts';
import { correctedParams, MAX_TRIES, misfit } from './misfit.ts';
import type { Answer, Question } from './question.ts';

/** What asking during a request needs. */
export interface AskByRequestOptions {
  readonly request: NonNullable<Channel['request']>;
  readonly signal: AbortSignal;
  /** How long each answer may take. */
  readonly answerWithinMs: number;
  /** Stops the clock of the call while somebody thinks, until what it returns is called. */
  readonly pause: () => () => void;
}

/** Asks the client while its request waits (the revisions up to 2025-11-25), one question after the other. */
export async function askByRequest(
  question: Question<unknown>,
  { request, signal, answerWithinMs, pause }: AskByRequestOptions,
): Promise<Answer<unknown>> {
  let problem: string | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const params = withoutUnseen(correctedParams(question.params, problem));
    const resume = pause();
    let reply: ClientReply;
    try {
      // oxlint-disable-next-line no-await-in-loop -- Whether there is another try depends on the answer.
      reply = await request(question.method, params, { signal, timeoutMs: answerWithinMs });
    } finally {
      resume();
    }
    if (reply.outcome !== 'result') {
      return reply.outcome === 'impossible'
        ? { outcome: 'impossible', requiredCapabilities: question.capability }
        : { outcome: reply.outcome };
    }
    const reading = question.read(reply.result);
    if (reading.ok) {
      return reading.answer;
    }
    ({ problem } = reading);
  }
  throw misfit(problem);
}
