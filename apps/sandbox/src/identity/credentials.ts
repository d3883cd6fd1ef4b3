import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';

const credentialsSchema = z.object({
  /** Private RSA key, as a JWK, that signs every token. */
  signingKey: z.looseObject({
    kty: z.literal('RSA'),
    kid: z.string(),
    n: z.string(),
    e: z.string(),
    d: z.string(),
  }),
  mcpServerSecret: z.string(),
  ciBotSecret: z.string(),
});

/** What must survive a restart for old tokens and configured clients to keep working. */
export type Credentials = z.infer<typeof credentialsSchema>;

/** Reads the credentials kept in the directory, or makes new ones and keeps them there. */
export async function loadCredentials(stateDirectory: string): Promise<Credentials> {
  const file = join(stateDirectory, 'credentials.json');
  const kept = await readIfPresent(file);
  if (kept !== undefined) {
    // An editor on Windows may have put a byte order mark first.
    return credentialsSchema.parse(JSON.parse(kept.replace(/^\uFEFF/u, '')));
  }
  const created = await createCredentials();
  await writeFile(file, JSON.stringify(created, null, 2), { mode: 0o600 });
  return created;
}

async function createCredentials(): Promise<Credentials> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const secret = (): string => randomBytes(32).toString('base64url');
  return credentialsSchema.parse({
    signingKey: {
      ...(await exportJWK(privateKey)),
      kid: randomBytes(8).toString('hex'),
      use: 'sig',
      alg: 'RS256',
    },
    mcpServerSecret: secret(),
    ciBotSecret: secret(),
  });
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
