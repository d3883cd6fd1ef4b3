/** Where one call goes, split the way undici takes it. */
interface Target {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
}

/** Why a target could not be built; the message names the parameter, never its value. */
export class BadTarget extends Error {
  override readonly name = 'BadTarget';
}

/**
 * Checks a base URL and splits it.
 * @throws {TypeError} unless it is http(s) without credentials, query or fragment
 */
export function parseBaseUrl(baseUrl: string): { origin: string; prefix: string } {
  const url = URL.parse(baseUrl);
  if (url === null) {
    throw new TypeError('baseUrl is not an absolute URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError('baseUrl must be http or https');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('baseUrl must not hold credentials');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError('baseUrl must not have a query or fragment');
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

/**
 * Splits a path template once, so that a call only encodes its parameters. The returned function fills it and appends
 * the query, below the base URL and nowhere else; it throws a {@link BadTarget} when a parameter is missing, empty, or
 * could change which resource is meant.
 */
export function compileTarget(base: { origin: string; prefix: string }, template: string): BuildTarget {
  const { origin, prefix } = base;
  const [head = '', ...rest] = (prefix + template).split('{');
  const parts = rest.map((part) => {
    const end = part.indexOf('}');
    return { name: part.slice(0, end), literal: part.slice(end + 1) };
  });
  const isSafe = isKept(origin, prefix + template.replaceAll(/\{\w+\}/g, 'x'));

  return (params, query) => {
    if (!isSafe) {
      throw new BadTarget('the path does not stay below the base URL');
    }
    let path = head;
    let isPlain = true;
    for (const { name, literal } of parts) {
      const value = Object.hasOwn(params, name) ? params[name] : undefined;
      if (typeof value === 'string' && PLAIN_SEGMENT.test(value)) {
        path += value + literal;
      } else {
        isPlain = false;
        path += encodeSegment(name, value) + literal;
      }
    }
    // A last look with the parser that counts, unless letters and digits were put where letters and digits belong.
    if (!isPlain && !isKept(origin, path)) {
      throw new BadTarget('the path does not stay below the base URL');
    }
    const search = query === undefined ? '' : encodeQuery(query);
    return { origin, path: search === '' ? path : `${path}?${search}` };
  };
}

/** Fills a compiled template. */
export type BuildTarget = (
  params: Readonly<Record<string, unknown>>,
  query: Readonly<Record<string, unknown>> | undefined,
) => Target;

const PLAIN_SEGMENT = /^[\w-]+$/;

/** Whether a path comes out of the URL parser as it went in, on the same origin. */
function isKept(origin: string, pathname: string): boolean {
  const url = URL.parse(origin + pathname);
  return url !== null && url.origin === origin && url.pathname === pathname;
}

function encodeSegment(name: string, value: unknown): string {
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string') {
    throw new BadTarget(`"${name}" must be a string or a finite number`);
  }
  const text = String(value);
  if (text === '') {
    throw new BadTarget(`"${name}" must not be empty`);
  }
  // Upstreams decode %2F and then walk the result, so a dot segment is refused behind a slash of either kind, too.
  if (text.split(/[/\\]/).some((part) => part === '.' || part === '..')) {
    throw new BadTarget(`"${name}" must not hold "." or ".." as a path segment`);
  }
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) {
    throw new BadTarget(`"${name}" must not hold control characters or broken Unicode`);
  }
  return encodeURIComponent(text);
}

function encodeQuery(query: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) {
        search.append(name, String(item));
      }
    }
  }
  return search.toString();
}
