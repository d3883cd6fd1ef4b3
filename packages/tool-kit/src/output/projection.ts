import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, nodesFor } from './schema-node.ts';

/** Takes from an output what its schema does not declare. */
export type Projection = (output: unknown) => unknown;

/**
 * What of an output leaves: the members that its schema declares by name, by pattern or by the schema of all others. A
 * loose object lets through whatever a backend adds, and only what somebody has looked at may reach a model.
 * `undefined` where the schema itself lets nothing else through, as `z.object` does. An object that names no member,
 * such as a record, is data of any names.
 */
export function projectionOf(schema: JsonObject): Projection | undefined {
  return hasOpenObject(schema) ? (output) => projected(output, [schema], schema) : undefined;
}

function hasOpenObject(node: JsonValue | undefined): boolean {
  if (Array.isArray(node)) {
    return node.some((item: JsonValue) => hasOpenObject(item));
  }
  return isObject(node) && (isOpen(node) || Object.values(node).some(hasOpenObject));
}

/** It names members and lets in any other. */
function isOpen(node: JsonObject): boolean {
  return namesMembers(node) && !isClosed(node) && schemaOfOthers(node) === undefined;
}

function namesMembers({ type, properties }: JsonObject): boolean {
  return (
    isObject(properties) &&
    (type === undefined || typeof type === 'string') &&
    Object.keys(properties).length > 0
  );
}

function isClosed(node: JsonObject): boolean {
  return node['additionalProperties'] === false || node['unevaluatedProperties'] === false;
}

/** What says something of the members without a name of their own. */
function schemaOfOthers({ additionalProperties: others }: JsonObject): JsonObject | undefined {
  return isObject(others) && Object.keys(others).length > 0 ? others : undefined;
}

function projected(value: unknown, schemas: readonly JsonValue[], root: JsonObject): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const nodes = schemas.flatMap((schema) => nodesFor(schema, value, root));
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      projected(
        item,
        nodes.flatMap((node) => itemOf(node, index)),
        root,
      ),
    );
  }
  const isFree = !nodes.some(namesMembers);
  const members = Object.entries(value).flatMap(([name, member]) => {
    const declared = nodes.flatMap((node) => memberOf(node, name));
    return isFree || declared.length > 0 ? [[name, projected(member, declared, root)] as const] : [];
  });
  return Object.fromEntries(members);
}

function itemOf({ prefixItems, items }: JsonObject, index: number): readonly JsonValue[] {
  const own = Array.isArray(prefixItems) ? (prefixItems as readonly JsonValue[])[index] : undefined;
  return [own ?? items].filter((schema) => schema !== undefined);
}

function memberOf(node: JsonObject, name: string): readonly JsonValue[] {
  const { properties, patternProperties } = node;
  if (isObject(properties) && Object.hasOwn(properties, name)) {
    return [properties[name] ?? true];
  }
  const patterns = Object.entries(isObject(patternProperties) ? patternProperties : {}).flatMap(
    ([pattern, schema]) => (new RegExp(pattern, 'u').test(name) ? [schema ?? true] : []),
  );
  const others = schemaOfOthers(node);
  return patterns.length > 0 ? patterns : others === undefined ? [] : [others];
}
