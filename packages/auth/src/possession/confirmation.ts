import { z } from 'zod';

/** The key that a token is bound to (RFC 7800): worth nothing to who cannot prove that key. */
export interface Confirmation {
  /** RFC 9449 §6.1: the thumbprint of the key that signs DPoP proofs. */
  readonly jkt?: string | undefined;
  /** RFC 8705 §3.1: the SHA-256 thumbprint of the client's TLS certificate. */
  readonly 'x5t#S256'?: string | undefined;
}

/** Proves that the sender holds the key of the principal's token; rejects with an AuthError when it does not. */
export type ProveConfirmation = (confirmation: Confirmation, principalId: string) => Promise<void>;

const thumbprint = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .optional();

const absent = z.undefined().optional();

/**
 * A binding of a kind that is not known here cannot be checked, so a token with nothing else is refused, as is one whose
 * RFC 7800 §3 members name a key by themselves. Other members say nothing against the key that is proved (RFC 7800 §3.1).
 */
export const confirmationSchema = z
  .object({ jkt: thumbprint, 'x5t#S256': thumbprint, jwk: absent, jwe: absent, kid: absent, jku: absent })
  .refine((value) => value.jkt !== undefined || value['x5t#S256'] !== undefined);
