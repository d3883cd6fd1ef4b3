import { argumentRecorder } from '../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type Operation } from '../call/operation.ts';
import type { ResourceDefinition, ResourceListing, ResourcePage } from '../definition/define-resource.ts';
import { zodObject } from '../definition/object-schema.ts';
import { heldPermission, permissionSelector } from '../definition/permission.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { parserOf } from './parser.ts';

const MIME_TYPE = 'application/json';

/** `resources/read` on one resource or family of resources; one that does not exist has no contents. */
export function readOperation(resource: ResourceDefinition): Operation {
  const parameters = zodObject(resource.parameters);
  const recorder = argumentRecorder(parameters);
  return sealOperation<Record<string, unknown>, JsonValue | undefined>({
    name: resource.name,
    span: spanOf('resources/read', resource.name),
    permission: resource.permission,
    permissionOf: permissionSelector(resource.permission),
    parse: parserOf(resource.name, parameters),
    record: (input, audit) => recorder(input, resource.audit?.(input) ?? {}, audit),
    readOnly: true,
    audited: 'always',
    run: (input, context) => resource.read(input, context),
    respond: (content, _input, uri) => ({
      result: {
        contents: content === undefined ? [] : [{ uri, mimeType: MIME_TYPE, text: JSON.stringify(content) }],
      },
      isFailure: content === undefined,
    }),
  });
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
        result: { resources: page.resources.map(entryOf), nextCursor: page.nextCursor },
        isFailure: false,
      };
    },
  });
}

function isPage(listed: readonly ResourceListing[] | ResourcePage): listed is ResourcePage {
  return !Array.isArray(listed);
}

/** JSON has no undefined. */
function entryOf(listing: ResourceListing): JsonObject {
  const { uri, name, title, description } = listing;
  return {
    uri,
    name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    mimeType: MIME_TYPE,
  };
}
