import type { Provider, TokenRuleOptions } from '../../src/index.ts';

/** The header's `typ`; `undefined` for none. */
export interface ProviderToken {
  readonly typ?: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What a provider documents of its tokens. `iss`, `iat` and `exp` are added; `ISSUER` in a text stands for the issuer. */
export interface ProviderProfile {
  readonly provider: Provider;
  /** Below the issuer's address. */
  readonly path: string;
  readonly options?: Partial<TokenRuleOptions>;
  readonly user: ProviderToken & { readonly is: object };
  readonly service?: ProviderToken & { readonly is: object };
  /** Each is refused. */
  readonly refused: Readonly<Record<string, ProviderToken>>;
}

/** Somebody's lasting id. */
export const USER = '0b0e2d1c-5d0a-4a39-8d3c-9b6d3f0f3a51';

/** The profiles of one provider by what they are called. */
export type Profiles = Readonly<Record<string, ProviderProfile>>;
