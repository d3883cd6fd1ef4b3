import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The audience of the tokens; need not be where a server listens. */
export const RESOURCE = 'https://bench.example.test/mcp';
/** The scope that every tool needs, and the permission. */
export const SCOPE = 'tools:use';

/** Longer than any soak: clients here keep the token that they begin with. */
const LIFETIME_SECONDS = 86_400;

/** An issuer of RS256 tokens (2048 bits) that serves its keys on loopback. */
export interface Issuer extends Disposable {
  readonly url: string;
  /** A token that was never handed out before. */
  readonly token: (subject?: string) => string;
  /** A token with a signature by somebody else. */
  readonly forgedToken: () => string;
}

/** Starts it. */
export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const keys = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }],
  });
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(keys);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // A server that listens on a port has an AddressInfo.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    token: (subject = 'ann') => signToken(url, subject, privateKey),
    forgedToken: () => signToken(url, 'ann', generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey),
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function signToken(issuer: string, subject: string, key: KeyObject): string {
  const at = Math.floor(Date.now() / 1_000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'k' })}.${encode({
    iss: issuer,
    aud: RESOURCE,
    sub: subject,
    client_id: 'bench',
    scope: SCOPE,
    name: `${subject} Example`,
    email: `${subject}@example.test`,
    iat: at,
    exp: at + LIFETIME_SECONDS,
    jti: randomUUID(),
  })}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
