import type { AnyEndpoint } from './endpoint.ts';

/** Where one call goes, split the way undici takes it. */
export interface Target {
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
  if (url === null) throw new TypeError('baseUrl is not an absolute URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError('baseUrl must be http or https');
  if (url.username !== '' || url.password !== '') throw new TypeError('baseUrl must not hold credentials');
  if (url.search !== '' || url.hash !== '') throw new TypeError('baseUrl must not have a query or fragment');
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

/**
 * Fills the endpoint's path and appends the query, below the base URL and nowhere else.
 * @throws {BadTarget} when a parameter is missing, empty, or could change which resource is meant
 */
export function buildTarget(
  base: { origin: string; prefix: string },
  endpoint: Pick<AnyEndpoint, 'path'>,
  params: Readonly<Record<string, unknown>>,
  query: Readonly<Record<string, unknown>>,
): Target {
  const filled = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeSegment(name, Object.hasOwn(params, name) ? params[name] : undefined),
  );
  const pathname = base.prefix + filled;
  // A last look with the parser that counts: the path must come out as it went in, on the same origin.
  const url = URL.parse(base.origin + pathname);
  if (url === null || url.origin !== base.origin || url.pathname !== pathname) {
    throw new BadTarget('the path does not stay below the base URL');
  }
  const search = encodeQuery(query);
  return { origin: base.origin, path: search === '' ? pathname : `${pathname}?${search}` };
}

function encodeSegment(name: string, value: unknown): string {
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string') {
    throw new BadTarget(`"${name}" must be a string or a finite number`);
  }
  const text = String(value);
  if (text === '') throw new BadTarget(`"${name}" must not be empty`);
  // Backends decode %2F and then walk the result, so a dot segment is refused behind a slash of either kind, too.
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
      if (item !== undefined) search.append(name, String(item));
    }
  }
  return search.toString();
}
