import { LdapLimitError, LdapResultError } from './ldap-errors.ts';
import { tooManyEntries } from './ldap-exchange.ts';
import type { LdapEntry, LdapExchange, LdapRequest, LdapSearch } from './ldap-exchange.ts';

const PAGE_SIZE = 500;
/** A server that filters what it reads may send empty ones; one that never ends sends nothing else. */
const MAX_EMPTY_PAGES = 100;
/** unavailableCriticalExtension, RFC 4511 appendix A.2: some answer so to a control that is not even critical. */
const NO_PAGES_HERE = 12;

/** Reads all pages of an answer. */
export type PagedSearch = (
  search: LdapSearch,
  options: { readonly timeLimitSeconds: number; readonly signal: AbortSignal },
) => Promise<readonly LdapEntry[]>;

/**
 * Whole answers only: an empty page is not the last one unless its cookie is empty too (RFC 2696 §3), and a server
 * that refuses pages is asked for everything at once, from then on without trying.
 */
export function createPagedSearch({ request }: Pick<LdapExchange, 'request'>): PagedSearch {
  /** Where pages were refused: a server may stand in front of several directories. */
  const unpaged = new Set<string>();

  return async (search, { timeLimitSeconds, signal }) => {
    const question = { kind: 'search', search, timeLimitSeconds } satisfies LdapRequest;
    const askAtOnce = async (): Promise<readonly LdapEntry[]> => (await request(question, signal)).entries;
    // One entry needs no pages.
    if (search.scope === 'base' || unpaged.has(search.base)) {
      return askAtOnce();
    }
    const entries: LdapEntry[] = [];
    let cookie: Uint8Array | undefined = new Uint8Array();
    let emptyPages = 0;
    do {
      let page;
      try {
        page = await request({ ...question, page: { size: PAGE_SIZE, cookie } }, signal);
      } catch (error) {
        const isFirst = cookie.length === 0;
        if (!isFirst || !(error instanceof LdapResultError) || error.resultCode !== NO_PAGES_HERE) {
          throw error;
        }
        unpaged.add(search.base);
        return askAtOnce();
      }
      entries.push(...page.entries);
      emptyPages += page.entries.length === 0 ? 1 : 0;
      if (entries.length > search.maxEntries) {
        throw tooManyEntries(search.maxEntries);
      }
      if (emptyPages > MAX_EMPTY_PAGES) {
        throw new LdapLimitError(`the directory sent more than ${MAX_EMPTY_PAGES} empty pages`);
      }
      ({ cookie } = page);
    } while (cookie !== undefined && cookie.length > 0);
    return entries;
  };
}
