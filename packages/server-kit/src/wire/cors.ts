import { headerOf, type Exchange } from './exchange.ts';

/** The names of this machine for itself. */
export const loopbackNames = ['localhost', '127.0.0.1', '[::1]'] as const;

const EXPOSED = 'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, DPoP-Nonce, Retry-After';
const ALLOWED_HEADERS =
  'Authorization, Content-Type, Accept, DPoP, Last-Event-ID, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name';
const ALLOWED_METHODS = 'POST, GET, DELETE';
const MAX_AGE_S = '7200';
// A name of a header of our own protocol, which a tool may ask for: `Mcp-Param-Region`.
const PARAMETER_HEADER = /^mcp-param-[!#$%&'*+.^_`|~\da-z-]+$/u;

/** Which web pages may call a server. */
export interface OriginRule {
  /** Whether a page of this origin may. */
  readonly allows: (origin: string) => boolean;
}

/** Whole origins such as `https://client.example.com`, or host names of loopback for any port. */
export function createOriginRule(allowedOrigins: readonly string[]): OriginRule {
  const allowed = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  return {
    allows(sent) {
      const origin = sent.toLowerCase();
      if (allowed.has(origin)) {
        return true;
      }
      const url = URL.parse(origin);
      return url !== null && isLoopback(url.hostname) && allowed.has(url.hostname);
    },
  };
}

/** Lets the page that sent a request read its answer, whichever it will be (Fetch, "HTTP responses"). */
export function allowReading(exchange: Exchange, origin: string): void {
  exchange.setHeader('access-control-allow-origin', origin);
  exchange.setHeader('access-control-expose-headers', EXPOSED);
  exchange.setHeader('vary', 'Origin');
}

/** Answers the question that a browser asks first (Fetch, "CORS-preflight request"). */
export function answerPreflight(exchange: Exchange): void {
  const asked = (headerOf(exchange, 'access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => PARAMETER_HEADER.test(name));
  exchange.answer(204, {
    'access-control-allow-methods': ALLOWED_METHODS,
    'access-control-allow-headers': [ALLOWED_HEADERS, ...asked.slice(0, 16)].join(', '),
    'access-control-max-age': MAX_AGE_S,
  });
}

function isLoopback(name: string): boolean {
  return loopbackNames.some((loopback) => loopback === name);
}
