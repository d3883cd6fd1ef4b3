/**
 * A search filter (RFC 4511 §4.5.1). It is sent as it is, never as text: no value in it can become syntax.
 */
export type LdapFilter =
  | { readonly kind: 'present'; readonly attribute: string }
  | { readonly kind: 'equal'; readonly attribute: string; readonly value: string | Uint8Array }
  /** `attribute:rule:=value` */
  | { readonly kind: 'matches'; readonly attribute: string; readonly rule: string; readonly value: string }
  | { readonly kind: 'any' | 'all'; readonly filters: readonly LdapFilter[] };

/** Every entry has an object class. */
export const ANY_ENTRY: LdapFilter = { kind: 'present', attribute: 'objectClass' };
