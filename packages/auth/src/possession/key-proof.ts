import { checkWhole } from '../check-number.ts';
import { tokenRefused } from '../errors.ts';
import { checkAlgorithms } from '../signature-algorithms.ts';
import type { Confirmation } from './confirmation.ts';
import { isSameText, sha256 } from './digest.ts';
import { createDpopNonces } from './dpop-nonce.ts';
import type { DpopNonceOptions, DpopNonces } from './dpop-nonce.ts';
import { createDpopProofs, proofRefused } from './dpop-proof.ts';
import type { PresentedRequest } from './presented-request.ts';
import { createReplayMemory } from './replay-memory.ts';
import type { ReplayStore } from './replay-store.ts';

/** Which proofs are taken. */
export interface KeyProofsOptions {
  /** Accepted signature algorithms of DPoP proofs, asymmetric only. @default ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] */
  readonly algorithms?: readonly string[] | undefined;
  /** How old a proof may be, in whole seconds, 1 to 300. @default 60 */
  readonly maxAgeSeconds?: number | undefined;
  /** How far ahead the client's clock may be, in whole seconds, 0 to 60. @default 10 */
  readonly clockToleranceSeconds?: number | undefined;
  /** Notices a proof that is used twice. Replicas need a common one. @default `createReplayMemory()`, which is this process's own */
  readonly replays?: ReplayStore | undefined;
  /**
   * Wants a nonce of this server in each proof (RFC 9449 §9), so that proofs cannot be made beforehand: a client that has none is
   * given one with its refusal. @default no nonces
   */
  readonly nonces?: DpopNonceOptions | undefined;
  /** The time in milliseconds since the Unix epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

type ResolvedKeyProofsOptions = {
  readonly [Name in Exclude<keyof KeyProofsOptions, 'nonces'>]-?: NonNullable<KeyProofsOptions[Name]>;
} & { readonly nonces: DpopNonces | undefined };

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
    nonces: options.nonces && createDpopNonces(options.nonces, now),
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
    sent: {
      readonly scheme: 'Bearer' | 'DPoP';
      readonly token: string;
      readonly request: PresentedRequest;
      /** Who the token speaks for: each has a share of the memory of used proofs. @default the key */
      readonly owner?: string | undefined;
    },
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
    async verify({ jkt, 'x5t#S256': certificateHash }, { scheme, token, request, owner = jkt ?? '' }) {
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
      await dpop.verify(jkt, { token, request, owner });
    },
  };
}
