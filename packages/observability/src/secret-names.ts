/** A word that makes the whole name secret, wherever it stands in it. */
const SECRET_WORDS = new Set([
  'authorization',
  'cookie',
  'credential',
  'jwt',
  'passphrase',
  'passwd',
  'password',
  'pwd',
  'secret',
  'token',
]);
/** What stands before `key` where the key is secret; a plain `key` is not. */
const SECRET_KEYS =
  'access account api digest encryption hmac license master private secret service session shared signing ssh subscription'.split(
    ' ',
  );
const SECRET_PHRASES = new Set([
  ...SECRET_KEYS.map((word) => `${word}key`),
  'clientassertion',
  'codeverifier',
  'connectionstring',
  'mfacode',
  'otpcode',
  'sessionid',
]);
/** Names that are secret when nothing else is in them. */
const SECRET_NAMES = new Set(['auth', 'otp', 'pin', 'sid', 'sig', 'signature']);
/** A name that ends so says something about a secret, not the secret: `tokenType`, `password_policy`. */
const ABOUT = new Set(
  'alg algorithm at bytes category cause count date duration enabled endpoint error expiry expires file id kind length lifetime limit method ms name path policy provider reason required seconds server size source status total type url uri used usage version'.split(
    ' ',
  ),
);

/** What of a key in JSON is not public (RFC 7518 §6.2.2, §6.3.2 and §6.4.1). An object with `kty` is one. */
export const JWK_SECRETS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

const known = new Map<string, boolean>();
const MAX_KNOWN = 1000;
const MAX_NAME_LENGTH = 100;

/** Whether a field, header, parameter or variable of this name holds a secret. */
export function isSecretName(name: string): boolean {
  if (name.length > MAX_NAME_LENGTH) {
    return decide(name.slice(-MAX_NAME_LENGTH));
  }
  let isSecret = known.get(name);
  if (isSecret === undefined) {
    isSecret = decide(name);
    // Names come from a program's own sources, so they are few; a name from outside must not fill the memory.
    if (known.size < MAX_KNOWN) {
      known.set(name, isSecret);
    }
  }
  return isSecret;
}

/** `inputTokens: 1200` counts; `token: 1200` is one. */
export function isCount(name: string, value: unknown): boolean {
  return typeof value === 'number' && /tokens$/iu.test(name);
}

function decide(name: string): boolean {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/gu, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/gu, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/u)
    .filter((word) => word !== '')
    .map((word) =>
      word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word,
    );
  const last = words.at(-1) ?? '';
  const isPhrase = words.some((word, index) => SECRET_PHRASES.has(`${words[index - 1] ?? ''}${word}`));
  if (isPhrase && (!ABOUT.has(last) || words.slice(-2).join('') === 'sessionid')) {
    return true;
  }
  if (ABOUT.has(last)) {
    return false;
  }
  return (
    (words.length === 1 && SECRET_NAMES.has(last)) ||
    words.some((word) => SECRET_WORDS.has(word) || SECRET_PHRASES.has(word)) ||
    // Written without a mark between the words: `accesstoken`.
    /(?:authorization|cookie|password|passwd|secret|token|credential|apikey)$/u.test(last)
  );
}
