import { CallFailed, invalidCursor, type CallFailure } from '../call/failure/failure.ts';
import { sealOperation, spanOf, type Operation, type RequestContext } from '../call/operation.ts';
import type { ResolvedPipelineOptions } from '../call/pipeline-options.ts';
import { runCall } from '../call/run-call.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ListedResource } from '../catalog/listed.ts';
import { listCacheMembers } from '../catalog/operations/cache-members.ts';
import { isHeld } from '../definition/permission.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { withoutUnseen } from '../visible-text.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** Where a page begins: in which family, on which page of its own, after which of its URIs. */
interface Place {
  readonly family: string;
  readonly page: string | null;
  readonly after: string | null;
}

/** As it is listed. */
interface Entry extends JsonObject {
  readonly uri: string;
}

/** What one family has, from a place on. */
interface Part {
  readonly family: ListedResource;
  /** The page of the family's own that was asked for. */
  readonly page: string | null;
  readonly answer:
    | { readonly entries: readonly Entry[]; readonly next: string | undefined }
    | { readonly failure: CallFailure };
}

/** Names the families that could not be asked just now, in the result's `_meta`. */
const UNAVAILABLE = 'mcp-parts/unavailable';

/** Of the time of the whole list, so that the others are listed when one does not answer. */
const SHARE_OF_DEADLINE = 0.9;

/**
 * `resources/list`: what every family has that the caller may read now, in pages of at most `pageSize` entries and
 * `maxOutputBytes`. A family that fails leaves the others listed. All of it is one request to the rate limiter.
 */
export function resourceListOperation(catalog: Catalog, pipeline: ResolvedPipelineOptions): Operation {
  const deadlineMs = Math.ceil(pipeline.deadlineMs * SHARE_OF_DEADLINE);
  let families: readonly ListedResource[] = [];
  let version: number | undefined;

  function currentFamilies(): readonly ListedResource[] {
    if (version !== catalog.version()) {
      version = catalog.version();
      families = [...catalog.resources.values()].map((family) => ({
        ...family,
        list: { ...family.list, deadlineMs },
      }));
    }
    return families;
  }

  return sealOperation<unknown, JsonObject>({
    name: '_other',
    span: spanOf('resources/list'),
    parse: (cursor) => ({ ok: true, input: cursor }),
    record: () => ({}),
    readOnly: true,
    audited: 'refusals',
    maxOutputBytes: Infinity,
    async run(cursor, context, request) {
      // What exists is asked of an upstream, so only for those who may ask it now.
      const held = currentFamilies().filter(({ definition }) =>
        isHeld(definition.permission, request.caller),
      );
      const place = cursor === undefined ? undefined : placeOf(cursor);
      const start = place === undefined ? 0 : held.findIndex(({ list }) => list.name === place.family);
      if (start === -1) {
        throw new CallFailed(invalidCursor());
      }
      const asked = { ...request, signal: context.signal };
      const parts = await Promise.all(
        held
          .slice(start)
          .map((family, index) => ask(family, index === 0 ? (place?.page ?? null) : null, asked, pipeline)),
      );
      return {
        ...pageOf(parts, place?.after ?? null, pipeline),
        ...listCacheMembers(pipeline.listTtlMs, request.era),
      };
    },
    respond: (result) => ({ result: withoutUnseen(result), isFailure: false }),
  });
}

function placeOf(cursor: unknown): Place {
  const [family, page = null, after = null] = decodeCursor(cursor, 3);
  if (typeof family !== 'string') {
    throw new CallFailed(invalidCursor());
  }
  return { family, page, after };
}

async function ask(
  family: ListedResource,
  page: string | null,
  request: RequestContext,
  pipeline: ResolvedPipelineOptions,
): Promise<Part> {
  const call = {
    method: 'resources/list',
    target: family.definition.name,
    operation: family.list,
    arguments: page ?? undefined,
  };
  const answer = await runCall(call, request, pipeline);
  if (!answer.ok) {
    return { family, page, answer: { failure: answer.failure } };
  }
  // Made by the family's operation.
  const { resources, nextCursor } = answer.result as {
    readonly resources: readonly Entry[];
    readonly nextCursor?: string;
  };
  return { family, page, answer: { entries: resources, next: nextCursor } };
}

function pageOf(
  parts: readonly Part[],
  after: string | null,
  { pageSize, maxOutputBytes }: ResolvedPipelineOptions,
): JsonObject {
  const resources: JsonObject[] = [];
  const unavailable: string[] = [];
  let bytes = 0;
  for (const [index, { family, page, answer }] of parts.entries()) {
    const { name } = family.definition;
    if ('failure' in answer) {
      // A family that the policy denies is left out as one that the caller cannot see.
      if (answer.failure.kind !== 'denied' || answer.failure.code === 'unavailable') {
        unavailable.push(name);
      }
      continue;
    }
    let last = index === 0 ? after : null;
    for (const entry of last === null ? answer.entries : entriesAfter(answer.entries, last)) {
      const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
      const isFull = resources.length >= pageSize || bytes + size > maxOutputBytes;
      if (isFull && resources.length > 0) {
        return result(resources, unavailable, encodeCursor([name, page, last]));
      }
      resources.push(entry);
      bytes += size;
      last = entry.uri;
    }
    if (answer.next !== undefined) {
      return result(resources, unavailable, encodeCursor([name, answer.next, null]));
    }
  }
  const [first] = parts;
  if (unavailable.length > 0 && unavailable.length === parts.length && first && 'failure' in first.answer) {
    throw new CallFailed(first.answer.failure);
  }
  return result(resources, unavailable);
}

function entriesAfter(entries: readonly Entry[], uri: string): readonly Entry[] {
  const index = entries.findIndex((entry) => entry.uri === uri);
  if (index === -1) {
    // To go on anywhere else would skip entries or repeat them.
    throw new CallFailed(invalidCursor());
  }
  return entries.slice(index + 1);
}

function result(
  resources: readonly JsonValue[],
  unavailable: readonly string[],
  nextCursor?: string,
): JsonObject {
  return {
    resources,
    ...(nextCursor !== undefined && { nextCursor }),
    ...(unavailable.length > 0 && { _meta: { [UNAVAILABLE]: unavailable } }),
  };
}
