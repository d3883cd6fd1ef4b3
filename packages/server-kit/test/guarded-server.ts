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

import {
  createAuthenticator,
  createKeyProofs,
  createPolicy,
  createTokenVerifier,
  freshPolicy,
  type Directory,
} from '@mcp-parts/auth';
import { definePrompt, defineResource, defineTool, type Logger } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { assembleServer, serveHttp, type Server } from '../src/index.ts';

/** The audience of the tokens; need not be where the server listens. */
const resource = 'https://mcp.example.test/mcp';

export const policy = createPolicy({
  version: 1,
  permissions: ['deploy:read', 'deploy:staging', 'deploy:production'],
  groups: ['viewers', 'developers', 'production-deployers'],
  grants: [
    { group: 'viewers', allow: ['deploy:read'] },
    { group: 'developers', allow: ['deploy:*'] },
  ],
  require: {
    'deploy:production': {
      allGroups: ['production-deployers'],
      scopes: ['deploy:production'],
      fresh: true,
    },
  },
  scopes: {
    'deploy:staging': ['deploy:staging'],
    'deploy:admin': ['deploy:read', 'deploy:staging', 'deploy:production'],
  },
});

const everybody: Readonly<Record<string, readonly string[]>> = {
  ann: ['developers', 'production-deployers'],
  ben: ['developers'],
  vic: ['viewers'],
};

const environment = z.enum(['staging', 'production']);
const permission = {
  anyOf: ['deploy:staging', 'deploy:production'],
  select: (input: { environment: z.infer<typeof environment> }) => `deploy:${input.environment}`,
};

/** A real server with a real issuer, on loopback. */
export interface GuardedServer extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  /** `sub` of the callers whose deployments ran. */
  readonly deployed: string[];
  readonly logged: { readonly fields: object; readonly message: string }[];
  /** Set it to make the directory fail or forget somebody. */
  groupsOf: Directory['groupsOf'];
  /** How far the clock that groups age by is ahead, in milliseconds. */
  directoryAheadMs: number;
  token(subject: string, claims?: object): string;
  /** What the audit trail has on disk. */
  auditText(): Promise<string>;
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

  const deploy = defineTool({
    name: 'deploy',
    title: 'Deploy',
    description: 'Deploys.',
    input: z.strictObject({ environment }),
    output: z.object({ by: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
    permission,
    async handle(_input, { caller }) {
      deployed.push(caller.id.slice(caller.id.indexOf('#') + 1));
      return { by: caller.id };
    },
    text: ({ by }) => `Deployed for ${by}.`,
  });
  const whoami = defineTool({
    name: 'whoami',
    title: 'Who am I',
    description: 'Says who calls.',
    input: z.strictObject({ nonce: z.string() }),
    output: z.object({ id: z.string(), nonce: z.string() }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    permission: 'deploy:read',
    async handle({ nonce }, { caller }) {
      // Lets other calls in between.
      await new Promise((resolve) => setImmediate(resolve));
      return { id: caller.id, nonce };
    },
    text: ({ id, nonce }) => `${id} ${nonce}`,
  });
  const runs = defineResource({
    name: 'runs',
    title: 'What runs',
    description: 'What runs in an environment.',
    uriTemplate: 'runs://{environment}',
    parameters: z.object({ environment }),
    permission,
    complete: { environment: () => Promise.resolve(environment.options) },
    list: () => Promise.resolve(environment.options.map((name) => ({ uri: `runs://${name}`, name }))),
    read: ({ environment }) => Promise.resolve({ environment }),
  });
  const plan = definePrompt({
    name: 'plan',
    title: 'Plan',
    description: 'Plans a deployment.',
    arguments: z.object({ environment }),
    permission,
    render: () => 'Plan it.',
  });

  const verifier = createTokenVerifier({
    issuer,
    audience: resource,
    algorithms: ['ES256'],
    jwksUrl: `${issuer}/jwks`,
  });
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
    definitions: { tools: [deploy, whoami], resources: [runs], prompts: [plan] },
    authorizer: freshPolicy({ policy, authenticator }),
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
    server,
    deployed,
    logged,
    groupsOf: ({ subject }) => Promise.resolve(everybody[subject] ?? []),
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
