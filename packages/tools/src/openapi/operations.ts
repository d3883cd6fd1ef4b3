import { operationNames } from '@mcp-parts/resilient-client/openapi';

import { UsageError } from '../cli/command.ts';

type Json = Readonly<Record<string, unknown>>;

/** One operation of a document, by what a tool is made of. */
export interface Operation {
  readonly id: string;
  /** As the document has it. */
  readonly operationId: unknown;
  /** Of the endpoint that is made of it. */
  readonly endpoint: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly parameters: readonly PathParameter[];
  readonly hasQuery: boolean;
  readonly hasBody: boolean;
  /** Whether its body is an object, whose members can be arguments of their own. */
  readonly isObjectBody: boolean;
  /** Whether it takes an Idempotency-Key. */
  readonly takesKey: boolean;
  /** The members of its response; `undefined` when that is something else than an object. */
  readonly members: readonly string[] | undefined;
  /** Whether it answers with nothing. */
  readonly isEmpty: boolean;
}

interface PathParameter {
  readonly name: string;
  readonly description: string | undefined;
  readonly values: readonly string[] | undefined;
  readonly isInteger: boolean;
}

const METHODS = ['get', 'head', 'put', 'delete', 'post', 'patch'];

/**
 * The chosen operations of a bundled document, in the order in which they were named: by operationId, or as
 * `GET /things/{id}`.
 *
 * @throws {UsageError} for one that the document does not have.
 */
export function operationsOf(document: unknown, chosen: readonly string[]): readonly Operation[] {
  const all = Object.entries(recordOf(recordOf(document)['paths'])).flatMap(([path, value]) => {
    const item = resolved(document, value);
    return METHODS.filter((method) => item[method] !== undefined).map((method) =>
      operationOf(document, { method, path, shared: item['parameters'] }, recordOf(item[method])),
    );
  });
  return chosen.map((wanted) => {
    const found = all.find(
      ({ id, operationId, method, path }) =>
        id === wanted || operationId === wanted || `${method} ${path}` === wanted,
    );
    if (found === undefined) {
      throw new UsageError(`The document has no operation ${wanted}; it has ${listed(all)}`);
    }
    return found;
  });
}

const MAX_LISTED = 40;

function listed(operations: readonly Operation[]): string {
  const ids = operations.slice(0, MAX_LISTED).map(({ id }) => id);
  const left = operations.length - ids.length;
  return `${ids.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}

function operationOf(
  document: unknown,
  place: { readonly method: string; readonly path: string; readonly shared: unknown },
  definition: Json,
): Operation {
  const { method, path, shared } = place;
  const { id, name } = operationNames(definition, method, path);
  const parameters = [...listOf(shared), ...listOf(definition['parameters'])].map((one) =>
    resolved(document, one),
  );
  const body = resolved(document, definition['requestBody']);
  const response = responseOf(document, definition);
  const members = Object.keys(recordOf(response['properties']));
  return {
    id,
    operationId: definition['operationId'],
    endpoint: name,
    method: method.toUpperCase(),
    path,
    summary: textOf(definition['description']) ?? textOf(definition['summary']) ?? id,
    parameters: parameters.filter((one) => one['in'] === 'path').map((one) => pathParameter(document, one)),
    hasQuery: parameters.some((one) => one['in'] === 'query'),
    hasBody: definition['requestBody'] !== undefined,
    isObjectBody: isPlainObject(schemaIn(document, body)),
    takesKey: parameters.some(
      (one) => one['in'] === 'header' && /^idempotency-key$/iu.test(String(one['name'])),
    ),
    members: isPlainObject(response) && members.length > 0 ? members : undefined,
    isEmpty: Object.keys(response).length === 0,
  };
}

function pathParameter(document: unknown, parameter: Json): PathParameter {
  const schema = resolved(document, parameter['schema']);
  const values = schema['enum'];
  return {
    name: String(parameter['name']),
    description: textOf(parameter['description']) ?? textOf(schema['description']),
    values: Array.isArray(values) && values.every((value) => typeof value === 'string') ? values : undefined,
    isInteger: schema['type'] === 'integer',
  };
}

/** The schema of the first response that says that it worked. */
function responseOf(document: unknown, definition: Json): Json {
  const good = Object.entries(recordOf(definition['responses'])).find(([status]) =>
    /^2(?:\d\d|XX)$/u.test(status),
  );
  return schemaIn(document, resolved(document, good?.[1]));
}

function schemaIn(document: unknown, holder: Json): Json {
  const [content] = Object.values(recordOf(holder['content']));
  return resolved(document, recordOf(content)['schema']);
}

function isPlainObject(schema: Json): boolean {
  return (
    schema['type'] === 'object' &&
    ['anyOf', 'oneOf', 'allOf'].every((keyword) => schema[keyword] === undefined)
  );
}

/** A reference is followed, as often as one leads to another. */
function resolved(document: unknown, value: unknown, left = 16): Json {
  const record = recordOf(value);
  const { $ref: reference } = record;
  if (typeof reference !== 'string' || left === 0) {
    return record;
  }
  let node: unknown = document;
  for (const step of reference.split('/').slice(1)) {
    node = recordOf(node)[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return resolved(document, node, left - 1);
}

function recordOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
