/** A URI template of literal text and `{variables}` (RFC 6570 level 1). */
export interface UriTemplate {
  readonly variables: readonly string[];
  /** The variables' decoded values, or `undefined` when the URI is not of this form. */
  readonly match: (uri: string) => Readonly<Record<string, string>> | undefined;
}

/** @throws {TypeError} for an operator, a repeated variable, two variables side by side or a brace without its pair. */
export function parseUriTemplate(template: string): UriTemplate {
  const variables: string[] = [];
  const parts = template.split(/\{([^{}]*)\}/u).map((part, index) => {
    if (index % 2 === 0) {
      if (/[{}]/u.test(part)) {
        throw new TypeError(`uriTemplate: unbalanced brace in "${template}"`);
      }
      return escapeRegExp(part);
    }
    if (!/^\w+$/u.test(part)) {
      throw new TypeError(`uriTemplate: "{${part}}" is not a plain variable`);
    }
    if (/\}\{/u.test(template)) {
      throw new TypeError(`uriTemplate: nothing parts two variables in "${template}"`);
    }
    if (variables.includes(part)) {
      throw new TypeError(`uriTemplate: {${part}} occurs twice`);
    }
    variables.push(part);
    return '([^/?#]+)';
  });
  const pattern = new RegExp(`^${parts.join('')}$`, 'u');
  return {
    variables,
    match(uri) {
      if (uri.length > MAX_URI_LENGTH) {
        return undefined;
      }
      const values = pattern.exec(uri)?.slice(1);
      if (values === undefined) {
        return undefined;
      }
      try {
        return Object.fromEntries(
          values.map((value, index) => [variables[index], decodeURIComponent(value)]),
        );
      } catch {
        // RFC 3986 §2.1: a malformed percent-encoding names nothing.
        return undefined;
      }
    },
  };
}

// Two variables in one path segment are matched in quadratic time.
const MAX_URI_LENGTH = 2_048;

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&');
}
