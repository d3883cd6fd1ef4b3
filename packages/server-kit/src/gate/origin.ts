import type { RequestOrigin } from '@mcp-parts/tool-kit';

/** What both SDKs hand from the transport to the handlers, untouched. */
export interface TransportAuth {
  readonly token: string;
  readonly clientId: string;
  scopes: string[];
  readonly extra: Record<string, unknown>;
}

/** Carries a verified request's origin through an SDK. The token itself stays at the gate. */
export function attachOrigin(origin: RequestOrigin): TransportAuth {
  return { token: '', clientId: origin.caller.id, scopes: [], extra: { origin } };
}

/** @throws {TypeError} when the request did not pass the gate. */
export function originOf(authInfo: unknown): RequestOrigin {
  const origin = (authInfo as Partial<TransportAuth> | undefined)?.extra?.['origin'];
  if (origin === undefined) {
    throw new TypeError('the request carries no origin');
  }
  // Only attachOrigin() writes this member.
  return origin as RequestOrigin;
}

/** The address of a client without the port that some gateways put behind it in `X-Forwarded-For`. */
export function withoutPort(address: string): string {
  return address
    .replace(/^\[([\da-f:.]+)\](?::\d+)?$/iu, '$1')
    .replace(/^(\d{1,3}(?:\.\d{1,3}){3}):\d+$/u, '$1');
}
