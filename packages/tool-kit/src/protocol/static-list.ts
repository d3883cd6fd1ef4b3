import { CallFailed, invalidCursor } from '../call/failure/failure.ts';
import { sealOperation, spanOf, type Operation, type RequestContext } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import type { Listed } from '../catalog/listed.ts';
import { listCacheMembers } from '../catalog/operations/cache-members.ts';
import { isVisible, permissionNames, type Permission } from '../definition/permission.ts';
import { encodeJson } from '../encoded-json.ts';
import type { JsonObject } from '../json.ts';
import type { Caller } from '../ports.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

type Entry = Listed<{ readonly name: string; readonly permission: Permission<never> }>;

/** A server has a few roles; what there is beyond them is worked out each time. */
const MAX_KEPT_PAGES = 200;

/** The entries of one version of the catalog. */
interface Version {
  readonly number: number;
  readonly entries: readonly Entry[];
  /** All that decide who sees what. */
  readonly permissions: readonly string[];
  readonly firstPages: Map<string, JsonObject>;
}

/** What a list is made of. */
interface StaticList {
  readonly method: string;
  /** Of the result. */
  readonly member: string;
  readonly entries: () => readonly Entry[];
  /** Another number when the entries have changed. */
  readonly version: () => number;
}

/**
 * A list of what the caller may see, in pages of `pageSize`. All callers with the same relevant permissions are given
 * the same frozen page, so that it is encoded once for each version of the catalog.
 */
export function staticListOperation(
  { method, member, ...source }: StaticList,
  { pageSize, listTtlMs }: Pick<ResolvedPipelineOptions, 'pageSize' | 'listTtlMs'>,
): Operation {
  let current: Version | undefined;

  function currentVersion(): Version {
    const number = source.version();
    if (current?.number !== number) {
      const entries = source.entries();
      const names = entries.flatMap(({ definition }) => permissionNames(definition.permission));
      current = { number, entries, permissions: [...new Set(names)], firstPages: new Map() };
    }
    return current;
  }

  function page(
    { entries }: Version,
    caller: Caller,
    cursor: unknown,
    era: RequestContext['era'],
  ): JsonObject {
    const visible = entries.filter(({ definition }) => isVisible(definition.permission, caller));
    const start = cursor === undefined ? 0 : placeAfter(visible, cursor);
    const shown = visible.slice(start, start + pageSize);
    const last = shown.at(-1);
    const isLast = last === undefined || start + shown.length === visible.length;
    const made = {
      [member]: Object.freeze(
        shown.map(({ listing, listing2025 }) => (era === '2025' ? (listing2025 ?? listing) : listing)),
      ),
      ...(!isLast && { nextCursor: encodeCursor([last.definition.name]) }),
      ...listCacheMembers(listTtlMs, era),
    };
    encodeJson(made);
    return Object.freeze(made);
  }

  return sealOperation<unknown, JsonObject>({
    name: '_other',
    span: spanOf(method),
    parse: (cursor) => ({ ok: true, input: cursor }),
    record: () => ({}),
    readOnly: true,
    audited: 'refusals',
    maxOutputBytes: Infinity,
    run(cursor, { caller }, { era }) {
      const version = currentVersion();
      const { permissions, firstPages } = version;
      if (cursor !== undefined) {
        return page(version, caller, cursor, era);
      }
      const key = [era, ...permissions.map((name) => (isVisible(name, caller) ? 1 : 0))].join('');
      const known = firstPages.get(key) ?? page(version, caller, undefined, era);
      if (firstPages.size < MAX_KEPT_PAGES) {
        firstPages.set(key, known);
      }
      return known;
    },
    respond: (result) => ({ result, isFailure: false }),
  });
}

/** A cursor names the last entry of the page before. */
function placeAfter(visible: readonly Entry[], cursor: unknown): number {
  const [name] = decodeCursor(cursor, 1);
  const index = visible.findIndex(({ definition }) => definition.name === name);
  if (index === -1) {
    throw new CallFailed(invalidCursor());
  }
  return index + 1;
}
