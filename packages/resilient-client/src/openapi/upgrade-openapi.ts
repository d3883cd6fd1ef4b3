import { isRecord } from './zod-source.ts';

/**
 * An OpenAPI 3.0 document as one of 3.1, whose schemas are JSON Schema; any other document as it is. Changes what 3.0 has
 * words of its own for: `nullable`, and limits that are exclusive (OpenAPI 3.0.3 §4.7.24).
 */
export function upgradeOpenApi(document: unknown): unknown {
  return isRecord(document) && String(document['openapi']).startsWith('3.0.')
    ? { ...recordOf(upgraded(document)), openapi: '3.1.0' }
    : document;
}

function upgraded(node: unknown): unknown {
  if (Array.isArray(node)) {
    return node.map(upgraded);
  }
  if (!isRecord(node)) {
    return node;
  }
  // What stands beside a reference is ignored in 3.0, and would count in 3.1.
  if (typeof node['$ref'] === 'string') {
    return { $ref: node['$ref'] };
  }
  const entries = Object.entries(node).map(([name, value]) => [name, upgraded(value)] as const);
  return withNull(withLimits(Object.fromEntries(entries)));
}

function withLimits(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const limits = { ...schema };
  for (const [limit, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (typeof limits[exclusive] === 'boolean') {
      const isExclusive = limits[exclusive];
      delete limits[exclusive];
      if (isExclusive && limits[limit] !== undefined) {
        limits[exclusive] = limits[limit];
        delete limits[limit];
      }
    }
  }
  return limits;
}

function withNull(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { nullable, ...rest } = schema;
  if (typeof nullable !== 'boolean') {
    // A property may have that name.
    return schema;
  }
  if (!nullable) {
    return rest;
  }
  if (typeof rest['type'] !== 'string') {
    return { anyOf: [rest, { type: 'null' }] };
  }
  const { enum: values } = rest;
  return {
    ...rest,
    type: [rest['type'], 'null'],
    ...(Array.isArray(values) && !values.includes(null) && { enum: [...(values as unknown[]), null] }),
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
