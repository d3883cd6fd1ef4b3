import { parse } from 'yaml';
import type { z } from 'zod';

/**
 * A document that cannot be used. A `TypeError` to whoever loads it; `mcp-auth check` lists its problems.
 */
export class DocumentError extends TypeError {
  /** `name: key: problem`, one at least. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: { readonly cause?: unknown }) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

/** @throws {TypeError} naming the option, unless it is the path of a file */
export function checkPath(name: string, value: string): void {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${name} must be a path, got ${JSON.stringify(value)}`);
  }
}

/**
 * Parses YAML or JSON (which is YAML) and checks it.
 * @throws {DocumentError} with one line per problem: `name: key: problem`
 */
export function parseDocument<T>(text: string, schema: z.ZodType<T>, name: string): T {
  let value: unknown;
  try {
    value = parse(text, { prettyErrors: true });
  } catch (cause) {
    const [problem = 'not YAML or JSON'] = cause instanceof Error ? cause.message.split('\n') : [];
    throw new DocumentError([`${name}: ${problem}`], { cause });
  }
  return checkDocument(value, schema, name);
}

/**
 * As {@link parseDocument}, for a value in memory.
 * @throws {DocumentError} with one line per problem
 */
export function checkDocument<T>(value: unknown, schema: z.ZodType<T>, name: string): T {
  const checked = schema.safeParse(value);
  if (checked.success) {
    return checked.data;
  }
  const problems = checked.error.issues.map(
    (issue) => `${name}: ${formatPath(issue.path)}: ${issue.message}`,
  );
  throw new DocumentError(problems);
}

/** `grants[0].allow[1]`, `require["deploy:production"].scopes[0]`. */
function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') {
      text += `[${key}]`;
    } else if (/^\w+$/.test(String(key))) {
      text += text === '' ? String(key) : `.${String(key)}`;
    } else {
      text += `[${JSON.stringify(String(key))}]`;
    }
  }
  return text === '' ? '(document)' : text;
}
