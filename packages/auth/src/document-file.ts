import { isMap, parseDocument as parseYaml } from 'yaml';
import type { Document } from 'yaml';
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
  return checkDocument(valueOf(readYaml(text, name), name), schema, name);
}

/**
 * As {@link parseDocument}, for a document of which a part must not be taken for the whole: a file that was cut off
 * between two lines is still YAML. It ends with YAML's own mark, a line `...`, or is in braces, as JSON is.
 * @throws {DocumentError} with one line per problem
 */
export function parseClosedDocument<T>(text: string, schema: z.ZodType<T>, name: string): T {
  const document = readYaml(text, name);
  const isInBraces = isMap(document.contents) && document.contents.flow === true;
  const isClosed = isInBraces || document.directives.docEnd;
  const checked = schema.safeParse(valueOf(document, name));
  const problems = [...(isClosed ? [] : [`${name}: ${END_IS_MISSING}`]), ...problemsOf(checked, name)];
  if (!checked.success || problems.length > 0) {
    throw new DocumentError(problems);
  }
  return checked.data;
}

const END_IS_MISSING =
  'its end is missing: the last line must be "..." (or the whole in braces, as JSON is), so that a file that was cut off is not taken for a whole one';

/** @throws {DocumentError} when it is neither YAML nor JSON */
function readYaml(text: string, name: string): Document.Parsed {
  const document = parseYaml(text, { prettyErrors: true });
  // A warning is about what would be read in another way than it is written, such as a tag that is not known.
  const [cause] = [...document.errors, ...document.warnings];
  if (cause !== undefined) {
    throw new DocumentError([`${name}: ${cause.message.split('\n')[0] ?? 'not YAML or JSON'}`], { cause });
  }
  return document;
}

/** @throws {DocumentError} when what it refers to, and what that refers to, is more than anybody means */
function valueOf(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new DocumentError([`${name}: ${cause instanceof Error ? cause.message : 'cannot be read'}`], {
      cause,
    });
  }
}

/**
 * As {@link parseDocument}, for a value in memory.
 * @throws {DocumentError} with one line per problem
 */
export function checkDocument<T>(value: unknown, schema: z.ZodType<T>, name: string): T {
  const checked = schema.safeParse(value);
  if (!checked.success) {
    throw new DocumentError(problemsOf(checked, name));
  }
  return checked.data;
}

function problemsOf({ error }: z.ZodSafeParseResult<unknown>, name: string): readonly string[] {
  return (error?.issues ?? []).map((issue) => `${name}: ${formatPath(issue.path)}: ${issue.message}`);
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
