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

/** Words of secret names and of authentication schemes, and how a JWT and a PEM block start; wider than the names that are masked. */
const WORD =
  /authoriz|cookie|credential|jwt|passphrase|passw|pwd|secret|token|key|bearer|basic|dpop|negotiate|assertion|verifier|connection.?string|session.?id|eyj|-begin/i;
const SHORT_NAME =
  /["'](?:[aA]uth|AUTH|[oO]tp|OTP|[pP]in|PIN|[sS]id|SID|[sS]ig|SIG|[sS]ignature)["']|"Buffer"/;
const QUERY = /[?&;](?:amp;)?(?:x-[a-z]+-)?(?:sig|code)/i;
const USER_INFO = /:\/\/[^\s/@?#"]+@/;
/** A mark or prefix with a long run behind it that is no part of a UUID; nearly every line without a token fails here, cheaply. */
const RUN =
  /(?:[_.-](?![\da-f]{4}-[\da-f]{4}|[\da-f]{12}\b)|\/\/0|AIza|A[KSBC][IC]A|EAA|AT[AC]TT3|dapi|\d:AA)[\w+/-]{12}/;
const PREFIX = new RegExp(String.raw`\b(?:${ALTERNATIVES}|\d{8,10}:AA)`);

/** Whether there may be anything to mask at all. Wider than what is masked, never narrower. */
export function isSuspect(text: string): boolean {
  return (
    WORD.test(text) ||
    SHORT_NAME.test(text) ||
    USER_INFO.test(text) ||
    QUERY.test(text) ||
    (RUN.test(text) && PREFIX.test(text))
  );
}
