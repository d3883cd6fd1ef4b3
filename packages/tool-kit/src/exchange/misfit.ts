import { PublicError } from '../errors.ts';
import type { JsonObject } from '../json.ts';

/** How often something is asked whose answers do not fit. */
export const MAX_TRIES = 3;

/** The failure of a call whose client keeps giving answers that do not fit. */
export function misfit(problem = ''): PublicError {
  return new PublicError(
    'answer_misfit',
    `Nothing was done: the answer to the question does not fit. ${problem}. Tell the person what is expected, then try again.`,
  );
}

/** The params of a question that says what was wrong with the last answer. */
export function correctedParams(params: JsonObject, problem: string | undefined): JsonObject {
  const { message } = params;
  return problem === undefined || typeof message !== 'string'
    ? params
    : { ...params, message: `${message}\n\nThe last answer did not fit: ${problem}.` };
}
