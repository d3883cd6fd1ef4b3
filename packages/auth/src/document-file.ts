import { parse } from 'yaml';
import type { z } from 'zod';

/**
 * Parses YAML or JSON (which is YAML) and checks it.
 * @throws TypeError with one line per problem: `name: key: problem`
 */
export function parseDocument<T>(text: string, schema: z.ZodType<T>, name: string): T {
  let value: unknown;
  try {
    value = parse(text, { prettyErrors: true });
  } catch (cause) {
    const [problem = 'not YAML or JSON'] = cause instanceof Error ? cause.message.split('\n') : [];
    throw new TypeError(`${name}: ${problem}`, { cause });
  }
  return checkDocument(value, schema, name);
}

/** As {@link parseDocument}, for a value in memory. */
export function checkDocument<T>(value: unknown, schema: z.ZodType<T>, name: string): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(
    (issue) => `${name}: ${formatPath(issue.path)}: ${issue.message}`,
  );
  throw new TypeError(problems.join('\n'));
}

/** `grants[0].allow[1]`, `require["deploy:production"].scopes[0]`. */
function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^\w+$/.test(String(key))) text += text === '' ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text === '' ? '(document)' : text;
}
