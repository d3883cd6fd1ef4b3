import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/**
 * Signs with a private key that may never be here, such as one in a KMS or an HSM: ed25519, or ECDSA on P-256 with
 * SHA-256 and a DER signature. The key id is derived from the public key, so the two cannot disagree.
 */
export interface AuditSigner {
  readonly publicKey: KeyObject;
  /** Resolves with the signature of exactly these bytes. `signal` aborts when nobody waits for it any more. */
  readonly sign: (bytes: Uint8Array, options: { readonly signal: AbortSignal }) => Promise<Uint8Array>;
}

/** Public keys by key id. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/** Signs the texts of one trail. */
export interface TextSigner {
  readonly keyId: string;
  /** Returns the signature as base64. */
  readonly sign: (text: string, signal: AbortSignal) => Promise<string>;
}

/** Makes a signer of a private key that is here. */
export function localSigner(privateKey: KeyObject): AuditSigner {
  const publicKey = createPublicKey(privateKey);
  const digest = digestOf(publicKey);
  return { publicKey, sign: async (bytes) => sign(digest, bytes, privateKey) };
}

/** Signs texts with a signer, which may be anybody's. */
export function textSigner({ publicKey, sign: signBytes }: AuditSigner): TextSigner {
  const keyId = keyIdOf(publicKey);
  return {
    keyId,
    async sign(text, signal) {
      const bytes = Buffer.from(text);
      const signature = await signBytes(bytes, { signal });
      // A KMS that was given another key, or hashes what it is given, would be found out years later.
      if (!verify(digestOf(publicKey), bytes, publicKey, signature)) {
        throw new Error('the signature was not made with the key that the signer names');
      }
      return Buffer.from(signature).toString('base64');
    },
  };
}

/** The id of a public key: the first 16 hexadecimal digits of the SHA-256 of its SPKI in DER. */
export function keyIdOf(publicKey: KeyObject): string {
  const bytes = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Public keys by their ids. */
export function byKeyId(keys: readonly KeyObject[]): PublicKeys {
  return new Map(keys.map((key) => [keyIdOf(key), key]));
}

/** Whether one of `keys` is the key `keyId` and made the signature. */
export function isSignedWith(keys: PublicKeys, keyId: string, text: string, signature: string): boolean {
  const key = keys.get(keyId);
  return (
    key !== undefined &&
    isVerificationKey(key) &&
    verify(digestOf(key), Buffer.from(text), key, Buffer.from(signature, 'base64'))
  );
}

/** Whether a key can verify checkpoints. */
export function isVerificationKey(key: KeyObject): boolean {
  return key.type === 'public' && isKnownKind(key);
}

/** Whether a key can sign checkpoints. */
export function isSigningKey(key: KeyObject): boolean {
  return key.type === 'private' && isKnownKind(key);
}

function isKnownKind({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return (
    asymmetricKeyType === 'ed25519' ||
    (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1')
  );
}

// Ed25519 hashes by itself.
function digestOf({ asymmetricKeyType }: KeyObject): 'sha256' | null {
  return asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
