import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAuthenticator, createKeyProofs, createFreshPolicy, type Directory } from '@mcp-parts/auth';
import type { Logger } from '@mcp-parts/tool-kit';

import { assembleServer, serveHttp, type Server } from '../src/index.ts';
import { everybody, guardedDefinitions, policy, resource, verifierOf } from './guarded-parts.ts';

/** A real server with a real issuer, on loopback. */
export interface GuardedServer extends AsyncDisposable {
  readonly url: string;
  /** Serves its keys on loopback. */
  readonly issuer: string;
  readonly server: Server;
  /** `sub` of the callers whose deployments ran. */
  readonly deployed: string[];
  readonly logged: { readonly fields: object; readonly message: string }[];
  /** Set it to make the directory fail or forget somebody. */
  groupsOf: Directory['groupsOf'];
  /** How far the clock that groups age by is ahead, in milliseconds. */
  directoryAheadMs: number;
  readonly token: (subject: string, claims?: object) => string;
  /** What the audit trail has on disk. */
  readonly auditText: () => Promise<string>;
}

/** Starts it. */
export async function startGuardedServer(): Promise<GuardedServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = createServer((_request, response) => {
    response.end(
      JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }] }),
    );
  });
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an AddressInfo.
  const issuer = `http://127.0.0.1:${(keys.address() as AddressInfo).port}`;

  const logged: GuardedServer['logged'] = [];
  const log = (fields: object, message: string) => void logged.push({ fields, message });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const deployed: string[] = [];

  const verifier = verifierOf(issuer);
  const proofs = createKeyProofs({ algorithms: ['ES256'] });
  const authenticator = createAuthenticator({
    verifier,
    directory: { groupsOf: (principal, options) => guarded.groupsOf(principal, options) },
    policy,
    proofs,
    now: () => Date.now() + guarded.directoryAheadMs,
  });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-guarded-'));
  const server = await assembleServer({
    serverInfo: { name: 'guarded', version: '1.0.0' },
    definitions: guardedDefinitions((subject) => deployed.push(subject)),
    authorizer: createFreshPolicy({ policy, authenticator }),
    logger,
    stateDirectory,
    rateLimitPerMinute: 1_000_000,
  });
  const http = await serveHttp(server, {
    port: 0,
    gate: {
      authenticator,
      resource,
      authorizationServers: [issuer],
      scopes: policy.scopesFor(policy.permissions),
      basicScopes: ['deploy:read'],
      policy,
      proofs,
    },
    drainMs: 0,
  });

  const guarded: GuardedServer = {
    url: http.url,
    issuer,
    server,
    deployed,
    logged,
    groupsOf: (principal, options) => everybody.groupsOf(principal, options),
    directoryAheadMs: 0,
    token(subject, claims = {}) {
      const at = Math.floor(Date.now() / 1000);
      return signJwt(
        { alg: 'ES256', typ: 'at+jwt', kid: 'k' },
        {
          iss: issuer,
          aud: resource,
          sub: subject,
          client_id: 'editor',
          scope: 'deploy:read deploy:staging deploy:production',
          iat: at,
          exp: at + 300,
          jti: randomUUID(),
          ...claims,
        },
        privateKey,
      );
    },
    auditText: () => readAll(stateDirectory),
    async [Symbol.asyncDispose]() {
      await http.close();
      await server.close();
      await authenticator.close();
      await verifier.close();
      keys.closeAllConnections();
      await new Promise((resolve) => keys.close(resolve));
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
  return guarded;
}

/** A key of a client, and proofs of it (RFC 9449). */
export function createClientKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const hash = (value: string) => createHash('sha256').update(value).digest('base64url');
  return {
    // RFC 7638: the required members in this order.
    thumbprint: hash(JSON.stringify({ crv, kty, x, y })),
    proof: (token: string) =>
      signJwt(
        { alg: 'ES256', typ: 'dpop+jwt', jwk: { kty, crv, x, y } },
        {
          jti: randomUUID(),
          htm: 'POST',
          htu: resource,
          iat: Math.floor(Date.now() / 1000),
          ath: hash(token),
        },
        privateKey,
      ),
  };
}

function signJwt(header: object, claims: object, key: KeyObject): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

async function readAll(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')),
  );
  return texts.join('\n');
}
