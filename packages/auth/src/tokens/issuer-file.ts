import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { checkPath, parseDocument } from '../document-file.ts';
import { PROVIDERS } from '../provider-names.ts';
import type { TokenVerifierOptions } from './token-verifier.ts';

/** One issuer of a file. */
export interface IssuerEntry {
  /** For `createTokenVerifier`. */
  readonly verifier: TokenVerifierOptions;
  /** Where clients find it, for `protectedResourceMetadata`. */
  readonly authorizationServer: string;
}

const text = z.string().min(1);
const texts = z.array(text).min(1);

const entrySchema = z.strictObject({
  issuer: z.url(),
  authorizationServer: z.url().optional(),
  audience: text.optional(),
  algorithms: texts.default(['RS256']),
  jwksUrl: z.url().optional(),
  provider: z.enum(PROVIDERS).optional(),
  tokenType: z.enum(['at+jwt', 'JWT', 'either']).optional(),
  subjectClaim: text.optional(),
  missingSubject: z.enum(['refuse', 'service']).optional(),
  allowExtraAudiences: z.boolean().optional(),
  toleratedAudiences: z.array(text).optional(),
  missingAudience: z.enum(['refuse', 'client-and-scope']).optional(),
  clients: texts.optional(),
  scopeClaims: texts.optional(),
  serviceScopeClaims: texts.optional(),
  scopePrefix: text.optional(),
  groups: z.strictObject({ claim: text, names: z.record(text, text).optional() }).optional(),
  clockToleranceSeconds: z.number().optional(),
});
const fileSchema = z.strictObject({ version: z.literal(1), issuers: z.array(entrySchema).min(1) });

/**
 * Reads a YAML or JSON file with issuers: `version: 1` and `issuers`, each with the options of `createTokenVerifier` that are
 * no functions. `audience` is what those expect that name none.
 * @throws {TypeError} naming the file, and each key with its problem
 */
export async function loadIssuers(
  path: string,
  { audience }: { readonly audience: string },
): Promise<readonly IssuerEntry[]> {
  checkPath('path', path);
  const { issuers } = parseDocument(await readFile(path, 'utf8'), fileSchema, path);
  return issuers.map(({ authorizationServer, ...verifier }) => ({
    verifier: { ...verifier, audience: verifier.audience ?? audience },
    authorizationServer: authorizationServer ?? verifier.issuer,
  }));
}
