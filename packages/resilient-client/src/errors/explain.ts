import { cleanText, type Problem } from './problem.ts';

/** An endpoint's own wording of a response that is no success. `problem` holds cleaned text, fit to be quoted. */
export type ExplainResponse = (response: {
  readonly status: number;
  readonly problem: Problem | undefined;
}) => string | undefined;

/** The endpoint's sentence for a response, or undefined when it has none. */
export function explainResponse(
  explain: Readonly<Record<number, string>> | ExplainResponse | undefined,
  status: number | undefined,
  problem: Problem | undefined,
): string | undefined {
  if (explain === undefined || status === undefined) {
    return undefined;
  }
  if (typeof explain !== 'function') {
    return explain[status];
  }
  try {
    return explain({ status, problem: problem && cleanProblem(problem) });
  } catch {
    // The general sentence says less than the endpoint wanted to, and more than no response would.
    return undefined;
  }
}

/** An upstream's text ends up in what a model reads, so it is cleaned before a function can build it in. */
function cleanProblem(problem: Problem): Problem {
  return Object.fromEntries(
    Object.entries(problem).map(([name, value]) => [
      name,
      typeof value === 'string' ? cleanText(value) : value,
    ]),
  );
}
