/**
 * Tokens that their issuers made recognisable. The prefixes are facts from the issuers' documentation, as the public rule
 * sets of gitleaks and of GitHub's secret scanning list them.
 */
const PREFIXES = [
  'gh[pousr]_',
  'github_pat_',
  'gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas)-',
  'xox[abeoprs](?:\\.xox[bp])?-',
  'xapp-',
  'sk-',
  '[sr]k_(?:live|test|prod)_',
  'whsec_',
  'pypi-AgE',
  'npm_',
  'hf_',
  'dckr_(?:pat|oat)_',
  'do[opr]_v1_',
  'shp(?:at|ca|pa|ss)_',
  'hv[sbr]\\.',
  'ya29\\.',
  '1//0',
  'AIza',
  'A(?:KIA|SIA|BIA|CCA)',
  'SG\\.',
  'lin_api_',
  'ntn_',
  'figd_',
  'glsa_',
  'sntry[su]_',
  'PMAK-',
  'NRAK-',
  'rubygems_',
  'pul-',
  'tskey-',
  'xkeysib-',
  'EAACEdEose0cBA',
  'ATATT3',
  'ATCTT3',
  'sq0(?:atp|csp)-',
  'AGE-SECRET-KEY-1',
  'dapi(?=[\\da-f]{32})',
];
const ALTERNATIVES = PREFIXES.join('|');
export const KNOWN_TOKEN = new RegExp(String.raw`\b(?:${ALTERNATIVES})[\w.~+/-]{12,}=*`, 'g');

/**
 * Words of secret names and of authentication schemes, how a JWT and a PEM block start, names that are secret alone, and
 * bytes; wider than what is masked, and in lower case.
 */
const WORD =
  /a(?:uthoriz|ssertion)|c(?:ookie|redential|onnection.?string)|jwt|p(?:assphrase|assw|wd)|se(?:cret|ssion.?id)|token|key|b(?:earer|asic)|dpop|negotiate|verifier|eyj|mfa|otp.?code|\bkty\b|-begin|["'](?:auth|otp|pin|sid|sig|signature|buffer)["']/g;
const QUERY = /[?&;](?:amp;)?(?:x-[a-z]+-)?(?:sig|code)/;
const USER_INFO = /:\/\/[^\s/@?#"]+@/;
/** Both in a URL that is part of another, and in JSON that escapes `&` and `/`. */
const ESCAPED =
  /(?:%3f|%26|%3b|\\u0026)(?:amp;)?(?:x-[a-z]+-)?(?:sig|code)|%3a%2f%2f(?:(?!%2f)[^\s/@?#"])+%40|:\\+\/\\+\/[^\s/@?#"\\]+@/;
const PREFIX = new RegExp(String.raw`\b(?:${ALTERNATIVES}|\d{8,10}:AA)`);
/** A known token is no shorter: the shortest prefix and twelve characters. */
const MIN_TOKEN = 15;

/** Whether there may be anything to mask at all. Wider than what is masked, never narrower. */
export function isSuspect(text: string): boolean {
  const lower = text.toLowerCase();
  return nextSecretWord(lower, 0) >= 0 || hasSecretShape(text, lower);
}

/**
 * Where the next word begins that stands beside secrets, in the name or the value of a field; -1 for nowhere.
 * @param lower a text in lower case: a third faster than a pattern that ignores case
 */
export function nextSecretWord(lower: string, from: number): number {
  WORD.lastIndex = from;
  return WORD.exec(lower)?.index ?? -1;
}

/** Whether a part of it has the shape of a secret, without a word that says so. */
export function hasSecretShape(text: string, lower: string): boolean {
  return (
    (lower.includes('://') && USER_INFO.test(lower)) ||
    QUERY.test(lower) ||
    ((lower.includes('%') || lower.includes('\\u0026') || lower.includes('\\/')) && ESCAPED.test(lower)) ||
    // A few letters, such as İ, are longer in lower case.
    hasToken(text, lower.length === text.length ? lower : text)
  );
}

/**
 * Whether a long run of the characters that tokens are made of has a known prefix in it. Every run of fifteen has one of
 * every fifteenth characters, so nearly all of a line need not be looked at.
 */
function hasToken(text: string, lower: string): boolean {
  for (let at = MIN_TOKEN - 1; at < lower.length; at += MIN_TOKEN) {
    if (!isTokenCode(lower.charCodeAt(at))) {
      continue;
    }
    let start = at;
    while (isTokenCode(lower.charCodeAt(start - 1))) {
      start -= 1;
    }
    let end = at + 1;
    while (isTokenCode(lower.charCodeAt(end))) {
      end += 1;
    }
    if (end - start >= MIN_TOKEN && !isUuid(lower, start, end) && hasPrefix(text, start, end)) {
      return true;
    }
    at = end - (end % MIN_TOKEN) - 1;
  }
  return false;
}

function hasPrefix(text: string, start: number, end: number): boolean {
  if (PREFIX.test(text.slice(start, end))) {
    return true;
  }
  // In the text of a JSON string a token may begin behind an escape: `\nghp_…`, `\u0007ghp_…`.
  return (
    text.charCodeAt(start - 1) === BACKSLASH &&
    (PREFIX.test(text.slice(start + 1, end)) || PREFIX.test(text.slice(start + 5, end)))
  );
}

const BACKSLASH = 92;

/** Letters, digits and `_ . ~ + / - :`. */
function isTokenCode(code: number): boolean {
  return code < 128 && TOKEN_CODES[code] === 1;
}

const TOKEN_CODES = codes(/[\w.~+/:-]/);

/** Nothing else that is so common is so long. */
function isUuid(text: string, start: number, end: number): boolean {
  if (end - start !== UUID_LENGTH) {
    return false;
  }
  for (let at = 0; at < UUID_LENGTH; at += 1) {
    const code = text.charCodeAt(start + at);
    if (at === 8 || at === 13 || at === 18 || at === 23 ? code !== HYPHEN : HEX_CODES[code] !== 1) {
      return false;
    }
  }
  return true;
}

const UUID_LENGTH = 36;
const HYPHEN = 45;
const HEX_CODES = codes(/[\da-f]/);

function codes(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (characters.test(String.fromCharCode(code)) ? 1 : 0));
}
