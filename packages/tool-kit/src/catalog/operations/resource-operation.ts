import { argumentRecorder } from '../../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type Operation } from '../../call/operation.ts';
import { encodeContents, type EncodedContents } from '../../definition/content.ts';
import {
  SeveralContents,
  type ResourceDefinition,
  type ResourceListing,
  type ResourcePage,
} from '../../definition/define-resource.ts';
import { heldPermission, permissionSelector } from '../../definition/permission.ts';
import { zodObject } from '../../definition/schema/object-schema.ts';
import type { JsonObject } from '../../json.ts';
import { withoutUnseen } from '../../visible-text.ts';
import { cacheMembers } from './cache-members.ts';
import { parserOf } from './parser.ts';

/** Of a resource that says nothing else. */
export const JSON_MIME_TYPE = 'application/json';

/** `resources/read` on one resource or family of resources; one that does not exist has no contents. */
export function readOperation(resource: ResourceDefinition): Operation {
  const parameters = zodObject(resource.parameters);
  const recorder = argumentRecorder(parameters);
  const { mimeType = JSON_MIME_TYPE } = resource;
  return sealOperation<Record<string, unknown>, Content>({
    name: resource.name,
    span: spanOf('resources/read', resource.name),
    permission: resource.permission,
    permissionOf: permissionSelector(resource.permission),
    parse: parserOf(resource.name, parameters),
    record: (input, audit) => recorder(input, resource.audit?.(input) ?? {}, audit),
    readOnly: true,
    audited: 'always',
    run: (input, context) => resource.read(input, context),
    respond: (content, _input, { target: uri, era }) => ({
      result: withoutUnseen({
        contents: contentsOf(content, uri, mimeType),
        ...cacheMembers(resource.cache, era),
      }),
      isFailure: content === undefined,
    }),
  });
}

/**
 * `resources/subscribe` to one resource. Who may not read it, or for whom it does not exist, may not hear of it either,
 * and only the handler of reading knows the latter.
 */
export function subscribeOperation(resource: ResourceDefinition): Operation {
  const read = readOperation(resource);
  return {
    ...read,
    span: spanOf('resources/subscribe', resource.name),
    maxOutputBytes: Infinity,
    respond: (content) => ({ result: {}, isFailure: (content as unknown) === undefined }),
  };
}

/** `resources/list` of one resource or family of resources, from a cursor of its own. */
export function listOperation(resource: ResourceDefinition): Operation {
  return sealOperation<string | undefined, readonly ResourceListing[] | ResourcePage>({
    name: resource.name,
    span: spanOf('resources/list', resource.name),
    permission: resource.permission,
    permissionOf: (_input, caller) => heldPermission(resource.permission, caller),
    parse: (cursor) => ({ ok: true, input: cursor as string | undefined }),
    record: () => ({}),
    readOnly: true,
    audited: 'refusals',
    isPart: true,
    run: (cursor, context) => resource.list(context, cursor),
    respond(listed) {
      const page = isPage(listed) ? listed : { resources: listed };
      return {
        result: {
          resources: page.resources.map((entry) => entryOf(entry, resource)),
          nextCursor: page.nextCursor,
        },
        isFailure: false,
      };
    },
  });
}

type Content = Awaited<ReturnType<ResourceDefinition['read']>>;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/iu;

function contentsOf(content: Content, uri: string, mimeType: string): readonly EncodedContents[] {
  if (content === undefined) {
    return [];
  }
  if (content instanceof SeveralContents) {
    return content.contents.map(encodeContents);
  }
  if (content instanceof Uint8Array) {
    return [encodeContents({ uri, mimeType, blob: content })];
  }
  const isText = typeof content === 'string' && !JSON_TYPE.test(mimeType);
  return [encodeContents({ uri, mimeType, text: isText ? content : JSON.stringify(content) })];
}

function isPage(listed: readonly ResourceListing[] | ResourcePage): listed is ResourcePage {
  return !Array.isArray(listed);
}

/** JSON has no undefined. */
function entryOf(listing: ResourceListing, resource: ResourceDefinition): JsonObject {
  const { uri, name, title, description, mimeType, size, icons, annotations, meta } = listing;
  const shown = {
    uri,
    name,
    title,
    description,
    mimeType: mimeType ?? resource.mimeType ?? JSON_MIME_TYPE,
    size,
    icons,
    annotations,
    _meta: meta,
  };
  return Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)) as JsonObject;
}
