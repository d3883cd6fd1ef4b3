/**
 * Parses an address that tokens or keys depend on: https, or http on this machine only.
 * @throws {TypeError} naming `option` and the value
 */
export function secureUrl(value: string, option: string): URL {
  if (!URL.canParse(value)) {
    throw new TypeError(`${option} must be an absolute URL, got ${JSON.stringify(value)}`);
  }
  const url = new URL(value);
  // First, so that no other message prints them.
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`${option} must not hold credentials`);
  }
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!isSecure) {
    throw new TypeError(`${option} must use https (http only on loopback), got ${JSON.stringify(value)}`);
  }
  return url;
}

/**
 * Takes an issuer as its tokens spell it.
 * @throws {TypeError} naming `option` and the value
 */
export function checkIssuer(value: string, option: string): string {
  secureUrl(value, option);
  // RFC 8414 §2 forbids both; a fragment would also make `issuer#subject` ambiguous.
  if (/[?#]/.test(value)) {
    throw new TypeError(`${option} must have no query or fragment, got ${JSON.stringify(value)}`);
  }
  return value;
}

/**
 * Takes the URI that a token must name as its audience, in its canonical spelling.
 * @throws {TypeError} naming `option` and the value
 */
export function checkAudienceUri(value: string, option: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${option} must be a URI, got ${JSON.stringify(value)}`);
  }
  return canonicalResource(value);
}

/**
 * The canonical spelling of a resource URI: lower-case scheme and host, no trailing slash. Anything that is
 * not an http(s) URL (an audience may be any URI) is returned as it is. MCP authorization, "Canonical Server URI".
 */
export function canonicalResource(value: string): string {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) {
    return value;
  }
  const { origin, pathname, search } = new URL(value);
  return origin + (pathname.endsWith('/') ? pathname.slice(0, -1) : pathname) + search;
}

/** Whether a URL's host is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
