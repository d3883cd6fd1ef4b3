import { checkWhole } from '../check-number.ts';
import { tokenRefused } from '../errors.ts';
import { checkAlgorithms } from '../signature-algorithms.ts';
import type { Confirmation } from './confirmation.ts';
import { isSameText, sha256 } from './digest.ts';
import { createDpopProofs, proofRefused } from './dpop-proof.ts';
import type { PresentedRequest } from './presented-request.ts';
import { createReplayMemory } from './replay-memory.ts';
import type { ReplayMemory } from './replay-memory.ts';

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

/**
 * Verifies DPoP proofs (RFC 9449) and certificate bindings (RFC 8705).
 * @throws {TypeError} naming the option
 * @throws {RangeError} naming the number
 */
export function createKeyProofs(options: KeyProofsOptions = {}): KeyProofs {
  const resolved = resolveKeyProofsOptions(options);
  const dpop = createDpopProofs(resolved);

  return {
    algorithms: resolved.algorithms,
    async verify({ jkt, 'x5t#S256': certificateHash }, { scheme, token, request }) {
      if (certificateHash !== undefined) {
        if (request.certificate === undefined) {
          throw tokenRefused('bound to a certificate, none presented');
        }
        if (!isSameText(sha256(request.certificate), certificateHash)) {
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
      await dpop.verify(jkt, token, request);
    },
  };
}
