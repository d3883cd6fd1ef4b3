import type { JsonObject } from '../json.ts';

/** A picture beside a name (2025-11-25 and later, `Icon`). */
export interface Icon {
  /** An `https:` or `data:` URI; clients show no other. */
  readonly src: string;
  readonly mimeType?: string | undefined;
  /** Such as `48x48`, or `any` for a drawing that scales. */
  readonly sizes?: readonly string[] | undefined;
  readonly theme?: 'light' | 'dark' | undefined;
}

/** What any definition may show besides its name and description. */
export interface ListingOptions {
  /** For people. @default clients show the name */
  readonly title?: string | undefined;
  /** @default none */
  readonly icons?: readonly Icon[] | undefined;
  /**
   * Which set of definitions it belongs to, for servers that offer some of them (`toolsets` of `createCatalog`).
   * @default none: it is offered in any case
   */
  readonly toolset?: string | undefined;
  /** Its `_meta` in lists, by namespaced keys, for clients that know them. @default none */
  readonly meta?: JsonObject | undefined;
}

/** How long a client may keep an answer, where the revision lets a server say so (2026-07-28). */
export interface CacheHint {
  /** In milliseconds; 0 for an answer that is stale at once. */
  readonly ttlMs: number;
  /** `public` only for what is the same for every caller: it may be shown to others, too. @default 'private' */
  readonly scope?: 'private' | 'public' | undefined;
}
