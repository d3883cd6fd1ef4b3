import type { LdapEntry } from './session/ldap-exchange.ts';

/** ADS_UF_ACCOUNTDISABLE and ADS_UF_LOCKOUT, MS-ADTS §2.2.16; the second one is in the computed attribute only. */
const BARRED_FLAGS = 0x2n | 0x10n;
/** `accountExpires` of an account that never does is this or 0, MS-ADA1 §2.3. */
const NEVER = 2n ** 63n - 1n;
/** From 1601, where FILETIME begins (MS-DTYP §2.3.3), to 1970. */
const FILETIME_EPOCH_MS = 11_644_473_600_000n;
const FILETIME_UNITS_PER_MS = 10_000n;
const DAY_MS = 86_400_000n;

/** Whether one value of an attribute bars an account at an instant, in milliseconds since the Unix epoch. */
type IsBarred = (value: string, at: number) => boolean;

/** A whole number. What is none cannot be read as "not barred". */
const whole =
  (isBarred: (value: bigint, at: bigint) => boolean): IsBarred =>
  (value, at) =>
    !/^-?\d{1,20}$/.test(value) || isBarred(BigInt(value), BigInt(Math.floor(at)));
const hasBarredFlag = whole((flags) => (flags & BARRED_FLAGS) !== 0n);
const isSet: IsBarred = (value) => value.toLowerCase() !== 'false';
const always: IsBarred = () => true;
/** Generalized time, RFC 4517 §3.3.13. */
const since: IsBarred = (value, at) => !(parseGeneralizedTime(value) > at);
const until: IsBarred = (value, at) => !(parseGeneralizedTime(value) <= at);

/** What servers write into the entry of an account that may not sign in, by the attribute's name. */
const RULES: Readonly<Record<string, IsBarred>> = {
  // Active Directory.
  userAccountControl: hasBarredFlag,
  'msDS-User-Account-Control-Computed': hasBarredFlag,
  accountExpires: whole(
    (filetime, at) =>
      filetime !== 0n && filetime !== NEVER && filetime / FILETIME_UNITS_PER_MS - FILETIME_EPOCH_MS <= at,
  ),
  // draft-behera-ldap-password-policy-11 §5.3.3: any value means locked; §5.2.18 and §5.2.19 bound the account's time.
  pwdAccountLockedTime: always,
  pwdStartTime: until,
  pwdEndTime: since,
  // 389 Directory Server and FreeIPA. `accountUnlockTime` of 1970 is "until somebody unlocks it".
  nsAccountLock: isSet,
  accountUnlockTime: (value, at) => value.startsWith('1970') || until(value, at),
  krbPrincipalExpiration: since,
  // shadow(5), RFC 2307 §3: the day since 1970 from which on the account is expired; below 0 is never.
  shadowExpire: whole((day, at) => day >= 0n && day * DAY_MS <= at),
  // eDirectory.
  loginDisabled: isSet,
  lockedByIntruder: isSet,
  loginExpirationTime: since,
  // IBM Security Directory Server.
  'ibm-pwdAccountLocked': isSet,
};

/** The attributes that {@link isBarred} looks at. Servers send some of them only when asked by name. */
export const ACCOUNT_STATE_ATTRIBUTES: readonly string[] = Object.keys(RULES);

/** Whether an account is disabled, locked or expired at an instant, in milliseconds since the Unix epoch. */
export function isBarred({ values }: LdapEntry, at: number): boolean {
  return Object.entries(RULES).some(([attribute, rule]) =>
    (values.get(attribute.toLowerCase()) ?? []).some((value) => rule(String(value), at)),
  );
}

/** In milliseconds since the Unix epoch; NaN for what is none, which compares as neither before nor after. */
function parseGeneralizedTime(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{2}(?:\d{2})?)$/.exec(text);
  if (parts === null) {
    return Number.NaN;
  }
  const [, year, month, day, hour, minute = '00', second = '00', zone = 'Z'] = parts;
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3) || '00'}`;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
}
