import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { z } from 'zod';

import { AuthError, isAuthError } from '../errors.ts';
import { canonicalResource } from '../secure-url.ts';
import { isSameText, sha256 } from './digest.ts';
import type { DpopNonces } from './dpop-nonce.ts';
import { isCanonicalJws } from './jws-form.ts';
import type { PresentedRequest } from './presented-request.ts';
import type { ReplayStore } from './replay-store.ts';

const MAX_PROOF_LENGTH = 8 * 1024;

const proofClaims = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
  nonce: z.string().optional(),
});

/** Checked by `createKeyProofs`. */
export interface DpopProofsOptions {
  readonly algorithms: readonly string[];
  readonly maxAgeSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly replays: ReplayStore;
  /** Proofs must hold one of these. */
  readonly nonces: DpopNonces | undefined;
  /** The time in milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Checks DPoP proofs. */
export interface DpopProofs {
  /**
   * Whether the request proves the key with the thumbprint `jkt`, for this token. `owner` is who must find room in the
   * memory of used proofs.
   * @throws {AuthError} `invalid_proof`, or `unavailable` when a replay cannot be ruled out
   */
  readonly verify: (
    jkt: string,
    sent: { readonly token: string; readonly request: PresentedRequest; readonly owner: string },
  ) => Promise<void>;
}

/** Verifies DPoP proofs (RFC 9449). */
export function createDpopProofs(options: DpopProofsOptions): DpopProofs {
  const { algorithms, maxAgeSeconds, clockToleranceSeconds, now, replays, nonces } = options;

  /** RFC 9449 §4.3, in its order; the replay is looked at last, so that only a good proof costs memory. */
  const verify: DpopProofs['verify'] = async (jkt, { token, request, owner }) => {
    const proof = request.dpop ?? '';
    if (proof === '') {
      throw proofRefused('missing');
    }
    if (proof.length > MAX_PROOF_LENGTH) {
      throw proofRefused('longer than 8 KiB');
    }
    if (!isCanonicalJws(proof)) {
      throw proofRefused('ERR_JWS_INVALID');
    }
    const at = now();
    const { payload, thumbprint } = await verifySignature(proof, new Date(at));
    const claims = proofClaims.safeParse(payload);
    if (!claims.success) {
      throw proofRefused('unusable claims');
    }
    const { jti, htm, htu, iat, ath, nonce } = claims.data;
    if (htm !== request.method) {
      throw proofRefused('for another method');
    }
    const target = targetOf(htu);
    if (target === undefined || target !== targetOf(request.url)) {
      throw proofRefused('for another URL');
    }
    if (iat * 1000 > at + clockToleranceSeconds * 1000) {
      throw proofRefused('made in the future');
    }
    if (iat * 1000 < at - maxAgeSeconds * 1000) {
      throw proofRefused('too old');
    }
    if (!isSameText(ath, sha256(token))) {
      throw proofRefused('made for another token');
    }
    if (!isSameText(thumbprint, jkt)) {
      throw proofRefused('made with another key than the token is bound to');
    }
    if (nonces !== undefined && (nonce === undefined || !nonces.isGood(nonce))) {
      throw proofRefused('without a nonce that is good here', nonces.issue());
    }

    let isFirst: boolean;
    try {
      const id = sha256(`${thumbprint}.${jti}`);
      const ttlMs = Math.ceil((iat + maxAgeSeconds + clockToleranceSeconds) * 1000 - at);
      isFirst = await replays.claim(id, { ttlMs: Math.max(1, ttlMs), owner });
    } catch (cause) {
      throw new AuthError('unavailable', {
        message: 'cannot tell whether a proof is used again',
        retryAfterMs: maxAgeSeconds * 1000,
        cause,
      });
    }
    if (!isFirst) {
      throw proofRefused('used before');
    }
  };

  async function verifySignature(
    proof: string,
    currentDate: Date,
  ): Promise<{ payload: JWTPayload; thumbprint: string }> {
    try {
      // EmbeddedJWK takes a public key only; everything else in it, `kid` and `x5u` included, is ignored.
      const verified = await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: [...algorithms],
        currentDate,
      });
      const { jwk } = verified.protectedHeader;
      if (jwk === undefined) {
        throw proofRefused('without a key');
      }
      return { payload: verified.payload, thumbprint: await calculateJwkThumbprint(jwk) };
    } catch (error) {
      if (isAuthError(error)) {
        throw error;
      }
      // jose's messages hold what the sender wrote; a key that cannot be imported is a DOMException or TypeError.
      throw proofRefused(error instanceof errors.JOSEError ? error.code : 'unusable key');
    }
  }

  return { verify };
}

/** RFC 9449 §4.3: compared without query and fragment, as resource URIs are. */
function targetOf(value: string): string | undefined {
  const target = canonicalResource(value.replace(/[?#][\s\S]*$/, ''));
  return target !== undefined && /^https?:/.test(target) ? target : undefined;
}

/** A request that proves nothing. `reason` is for the log: it holds nothing that the sender wrote. */
export function proofRefused(reason: string, dpopNonce?: string): AuthError {
  return new AuthError('invalid_proof', { message: `proof of possession refused: ${reason}`, dpopNonce });
}
