import { createHash, timingSafeEqual } from 'node:crypto';

import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { z } from 'zod';

import { checkWhole } from '../check-number.ts';
import { AuthError, isAuthError, tokenRefused } from '../errors.ts';
import { checkAlgorithms } from '../signature-algorithms.ts';
import type { Confirmation } from './confirmation.ts';
import { createReplayMemory } from './replay-memory.ts';
import type { ReplayMemory } from './replay-memory.ts';

const MAX_PROOF_LENGTH = 8 * 1024;

/** How a request was sent: what a proof of possession is checked against. */
export interface PresentedRequest {
  /** The HTTP method, in upper case. */
  readonly method: string;
  /** The URL that the client called, as it spells it: this server's public URL. */
  readonly url: string;
  /** The value of the DPoP header. Two headers are no proof, joined by a comma or not. */
  readonly dpop?: string | undefined;
  /** The client's TLS certificate in DER, from the socket or from a proxy that is trusted with it. */
  readonly certificate?: Uint8Array | undefined;
}

/** Which proofs are taken. */
export interface KeyProofsOptions {
  /** Accepted signature algorithms of DPoP proofs, asymmetric only. @default ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] */
  readonly algorithms?: readonly string[] | undefined;
  /** How old a proof may be, in whole seconds, 1 to 300. @default 60 */
  readonly maxAgeSeconds?: number | undefined;
  /** How far ahead the client's clock may be, in whole seconds, 0 to 60. @default 10 */
  readonly clockToleranceSeconds?: number | undefined;
  /** Notices a proof that is used twice. Replicas need a common one. @default a memory of this process, for 100,000 proofs */
  readonly replays?: ReplayMemory | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

type ResolvedKeyProofsOptions = {
  readonly [Name in keyof KeyProofsOptions]-?: NonNullable<KeyProofsOptions[Name]>;
};

/**
 * Fills in and checks.
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
function resolveKeyProofsOptions(options: KeyProofsOptions): ResolvedKeyProofsOptions {
  const {
    algorithms = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    maxAgeSeconds = 60,
    clockToleranceSeconds = 10,
    now = () => Date.now(),
    replays = createReplayMemory({ now }),
  } = options;
  checkWhole('maxAgeSeconds', maxAgeSeconds, 1, 300);
  checkWhole('clockToleranceSeconds', clockToleranceSeconds, 0, 60);
  return {
    algorithms: checkAlgorithms(algorithms, 'algorithms'),
    maxAgeSeconds,
    clockToleranceSeconds,
    now,
    replays,
  };
}

/** Checks that a sender holds the key that its token is bound to. */
export interface KeyProofs {
  /** For challenges. */
  readonly algorithms: readonly string[];
  /**
   * @throws {AuthError} `invalid_proof` when the DPoP proof is missing or bad, `invalid_token` when the certificate is
   * or the token came by the wrong scheme, `unavailable` when a replay cannot be ruled out
   */
  readonly verify: (
    confirmation: Confirmation,
    sent: { readonly scheme: 'Bearer' | 'DPoP'; readonly token: string; readonly request: PresentedRequest },
  ) => Promise<void>;
}

const proofClaims = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
});

/**
 * Verifies DPoP proofs (RFC 9449) and certificate bindings (RFC 8705).
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function createKeyProofs(options: KeyProofsOptions = {}): KeyProofs {
  const { algorithms, maxAgeSeconds, clockToleranceSeconds, now, replays } = resolveKeyProofsOptions(options);

  /** RFC 9449 §4.3, in its order; the replay is looked at last, so that only a good proof costs memory. */
  async function verifyDpop(jkt: string, token: string, request: PresentedRequest): Promise<void> {
    const proof = request.dpop ?? '';
    if (proof === '') {
      throw proofRefused('missing');
    }
    if (proof.length > MAX_PROOF_LENGTH) {
      throw proofRefused('longer than 8 KiB');
    }
    const at = now();
    const { payload, thumbprint } = await verifySignature(proof, new Date(at));
    const claims = proofClaims.safeParse(payload);
    if (!claims.success) {
      throw proofRefused('unusable claims');
    }
    const { jti, htm, htu, iat, ath } = claims.data;
    if (htm !== request.method) {
      throw proofRefused('for another method');
    }
    if (targetOf(htu) === undefined || targetOf(htu) !== targetOf(request.url)) {
      throw proofRefused('for another URL');
    }
    if (iat * 1000 > at + clockToleranceSeconds * 1000) {
      throw proofRefused('made in the future');
    }
    if (iat * 1000 < at - maxAgeSeconds * 1000) {
      throw proofRefused('too old');
    }
    if (!isSame(ath, sha256(token))) {
      throw proofRefused('made for another token');
    }
    if (!isSame(thumbprint, jkt)) {
      throw proofRefused('made with another key than the token is bound to');
    }

    let isFirst: boolean;
    try {
      const id = sha256(`${thumbprint}.${jti}`);
      isFirst = await replays.claim(id, (iat + maxAgeSeconds + clockToleranceSeconds) * 1000);
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
  }

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

  return {
    algorithms,
    async verify({ jkt, 'x5t#S256': certificateHash }, { scheme, token, request }) {
      if (certificateHash !== undefined) {
        if (request.certificate === undefined) {
          throw tokenRefused('bound to a certificate, none presented');
        }
        if (!isSame(sha256(request.certificate), certificateHash)) {
          throw tokenRefused('bound to another certificate');
        }
      }
      if (jkt === undefined) {
        return;
      }
      // RFC 9449 §7.2: a bound token is not taken as a plain one.
      if (scheme !== 'DPoP') {
        throw proofRefused('the token is bound to a key but came as a bearer token');
      }
      await verifyDpop(jkt, token, request);
    },
  };
}

/** RFC 9449 §4.3: compared without query and fragment, after normalisation; MCP: a trailing slash does not matter. */
function targetOf(value: string): string | undefined {
  const url = URL.parse(value);
  return url === null ? undefined : url.origin + url.pathname.replace(/\/$/, '');
}

function sha256(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('base64url');
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function proofRefused(reason: string): AuthError {
  return new AuthError('invalid_proof', { message: `proof of possession refused: ${reason}` });
}
