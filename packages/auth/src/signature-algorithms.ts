/** JWA names (RFC 7518 §3.1, RFC 8037) of signatures whose verifier cannot sign. */
const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/;

/**
 * Takes a list of accepted algorithms.
 * @throws {TypeError} when it is empty, or one is not asymmetric: with HMAC, who can verify can also sign
 */
export function checkAlgorithms(algorithms: readonly string[], option: string): readonly string[] {
  if (!Array.isArray(algorithms)) {
    throw new TypeError(`${option} must be a list of names, got ${JSON.stringify(algorithms)}`);
  }
  if (algorithms.length === 0) {
    throw new TypeError(`${option} must name at least one`);
  }
  for (const algorithm of algorithms) {
    if (!ASYMMETRIC.test(algorithm)) {
      throw new TypeError(
        `${option} must be asymmetric signature algorithms, got ${JSON.stringify(algorithm)}`,
      );
    }
  }
  return Object.freeze([...algorithms]);
}
