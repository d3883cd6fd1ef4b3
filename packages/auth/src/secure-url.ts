/**
 * Parses an address that tokens or keys depend on: https, or http on this machine only.
 * @throws {TypeError} naming `option` and the value
 */
export function secureUrl(value: string, option: string): URL {
  const url = plainUrl(value, option);
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!isSecure) {
    throw new TypeError(`${option} must use https (http only on loopback), got ${JSON.stringify(value)}`);
  }
  return url;
}

function plainUrl(value: string, option: string): URL {
  if (!URL.canParse(value)) {
    throw new TypeError(`${option} must be an absolute URL, got ${JSON.stringify(value)}`);
  }
  const url = new URL(value);
  // First, so that no other message prints them.
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`${option} must not hold credentials`);
  }
  return url;
}

/** Microsoft's sign-in services, in all clouds. */
const MICROSOFT =
  /(?:^|\.)(?:login\.microsoftonline\.[a-z]+|login\.partner\.microsoftonline\.cn|login\.windows\.net|sts\.windows\.net)$/;
/** What stands for any tenant there: no token has such an issuer. */
const ANY_TENANT = /^\/(?:common|organizations|consumers)(?:\/|$)/i;

/**
 * Takes an issuer as its tokens spell it.
 * @throws {TypeError} naming `option` and the value
 */
export function checkIssuer(value: string, option: string): string {
  secureUrl(value, option);
  return checkIssuerName(value, option);
}

/**
 * As {@link checkIssuer}, for an issuer that is only a name, since nothing is fetched from there: http will do. AD FS signs
 * its tokens as such a one.
 * @throws {TypeError} naming `option` and the value
 */
export function checkIssuerName(value: string, option: string): string {
  const { protocol, hostname, pathname } = plainUrl(value, option);
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new TypeError(`${option} must use https (http only on loopback), got ${JSON.stringify(value)}`);
  }
  // RFC 8414 §2 forbids both; a fragment would also make `issuer#subject` ambiguous.
  if (/[?#]/.test(value)) {
    throw new TypeError(`${option} must have no query or fragment, got ${JSON.stringify(value)}`);
  }
  const isTemplate = /[{}<>]|%7[bd]/i.test(value);
  if (isTemplate || (MICROSOFT.test(hostname) && ANY_TENANT.test(pathname))) {
    throw new TypeError(
      `${option} must be one tenant's, as its tokens spell it, got ${JSON.stringify(value)}`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new TypeError(`${option} must be in ASCII and have no spaces, got ${JSON.stringify(value)}`);
  }
  return value;
}

/**
 * Takes the audience that a token must name, in its canonical spelling.
 * @throws {TypeError} naming `option` and the value
 */
export function checkAudienceUri(value: string, option: string): string {
  if (typeof value !== 'string' || value === '' || value.trim() !== value) {
    throw new TypeError(`${option} must be a URI, got ${JSON.stringify(value)}`);
  }
  if (/^https?:\/\//i.test(value)) {
    plainUrl(value, option);
  }
  const canonical = canonicalResource(value);
  if (canonical === undefined) {
    throw new TypeError(
      `${option} must be spelled plainly, without fragment, dot segments or odd characters, got ${JSON.stringify(value)}`,
    );
  }
  return canonical;
}

const HTTP = /^https?:\/\//i;
const HTTP_PARTS = /^(https?):\/\/([^/?#]+)([^?#]*)(\?[^#]+)?$/i;

/**
 * The one spelling under which resource URIs are compared, letter by letter: scheme and host in lower case, no default
 * port, no trailing slash, and nothing else changed (RFC 7519 §4.1.3, RFC 8707 §2; MCP authorization, "Canonical Server
 * URI"). What a URL parser would have to change more of is `undefined`, and so equal to nothing: user information,
 * fragments, dot segments, backslashes, white space, an empty port or query, IPv4 addresses that are not four decimals.
 * Anything that is not an http(s) URL (an audience may be any URI or name) is returned as it is.
 */
export function canonicalResource(value: string): string | undefined {
  if (!HTTP.test(value)) {
    return value;
  }
  const [, scheme = '', authority = '', path = '', query = ''] = HTTP_PARTS.exec(value) ?? [];
  const url = URL.parse(value);
  // Of two slashes only one would go, and the next look would take the other.
  if (url === null || path.endsWith('//')) {
    return undefined;
  }
  const defaultPort = scheme.toLowerCase() === 'https' ? /:443$/ : /:80$/;
  const origin = `${scheme.toLowerCase()}://${authority.toLowerCase().replace(defaultPort, '')}`;
  const spelled = origin + withoutSlash(path) + query;
  return spelled === url.origin + withoutSlash(url.pathname) + url.search ? spelled : undefined;
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Whether a URL's host is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
