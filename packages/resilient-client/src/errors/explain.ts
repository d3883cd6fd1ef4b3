import { cleanText, type Problem } from './problem.ts';

/** An endpoint's own wording of an answer that is no success. `problem` holds cleaned text, fit to be quoted. */
export type ExplainAnswer = (answer: {
  readonly status: number;
  readonly problem: Problem | undefined;
}) => string | undefined;

/** The endpoint's sentence for an answer, or undefined when it has none. */
export function explainAnswer(
  explain: Readonly<Record<number, string>> | ExplainAnswer | undefined,
  status: number | undefined,
  problem: Problem | undefined,
): string | undefined {
  if (explain === undefined || status === undefined) return undefined;
  if (typeof explain !== 'function') return explain[status];
  try {
    return explain({ status, problem: problem && cleanProblem(problem) });
  } catch {
    // The general sentence says less than the endpoint wanted to, and more than no answer would.
    return undefined;
  }
}

/** A backend's text ends up in what a model reads, so it is cleaned before a function can build it in. */
function cleanProblem(problem: Problem): Problem {
  return Object.fromEntries(
    Object.entries(problem).map(([name, value]) => [
      name,
      typeof value === 'string' ? cleanText(value) : value,
    ]),
  );
}
