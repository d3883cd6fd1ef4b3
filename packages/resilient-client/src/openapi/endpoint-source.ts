import { isReserved, operationNames } from './operation-names.ts';
import {
  createZodSource,
  isRecord,
  NotSupported,
  propertyName,
  quote,
  type ZodSource,
} from './zod-source.ts';

/**
 * TypeScript source with one endpoint for each operation of an OpenAPI 3.1 document that has been validated and holds no
 * references to other files; or for those with the ids in `only` (see {@link operationNames}), if any are.
 * @throws {NotSupported} for what cannot be expressed, naming its place
 */
export function endpointSource(
  document: unknown,
  documentName: string,
  only: readonly string[] = [],
): string {
  if (!isRecord(document) || !String(document['openapi']).startsWith('3.1.')) {
    throw new NotSupported('a document that is not OpenAPI 3.1 or 3.0', documentName);
  }
  const components = isRecord(document['components']) ? document['components'] : {};
  const zod = createZodSource(isRecord(components['schemas']) ? components['schemas'] : {});
  const all = Object.entries(isRecord(document['paths']) ? document['paths'] : {}).flatMap(([path, item]) =>
    operationsOf(document, path, item),
  );
  const missing = only.find((id) => all.every((operation) => operation.id !== id));
  if (missing !== undefined) {
    throw new NotSupported(`an operationId that it does not have, ${missing},`, documentName);
  }
  const operations = only.length === 0 ? all : all.filter(({ id }) => only.includes(id));
  const endpoints = operations.map((operation) => writeEndpoint(operation, zod, document));
  checkNames(['z', 'defineEndpoint', ...zod.names(), ...operations.map(({ name }) => name)]);
  return [
    `// Made from ${documentName} by mcp-endpoints. Change the document, not this file.`,
    `import { defineEndpoint } from '@mcp-parts/resilient-client';\nimport { z } from 'zod';`,
    ...zod.declarations(),
    ...endpoints,
    '',
  ].join('\n\n');
}

/** Every name stands for one thing in the generated module. */
function checkNames(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new NotSupported(`using the name ${twice} twice`, 'operationId or schema');
  }
  const reserved = names.find(isReserved);
  if (reserved !== undefined) {
    throw new NotSupported(`the name ${reserved}`, 'operationId or schema');
  }
}

interface Operation {
  /** Of the exported constant. */
  readonly name: string;
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Readonly<Record<string, unknown>>[];
  readonly definition: Readonly<Record<string, unknown>>;
  readonly where: string;
}

const METHODS = ['get', 'head', 'put', 'delete', 'post', 'patch'] as const;

function operationsOf(document: unknown, path: string, item: unknown): Operation[] {
  const pathItem = resolve(document, item, path);
  return METHODS.flatMap((method) => {
    const definition = pathItem[method];
    if (!isRecord(definition)) {
      return [];
    }
    const where = `${method.toUpperCase()} ${path}`;
    const parameters = [pathItem['parameters'], definition['parameters']]
      .flatMap((list) => (Array.isArray(list) ? list : []))
      .map((parameter) => resolve(document, parameter, where));
    // An operation's own parameter replaces the path's of the same name.
    const own = new Map(
      parameters.map((parameter) => [JSON.stringify([parameter['in'], parameter['name']]), parameter]),
    );
    return [
      {
        ...operationNames(definition, method, path),
        method: method.toUpperCase(),
        path,
        parameters: [...own.values()],
        definition,
        where,
      },
    ];
  });
}

function writeEndpoint(operation: Operation, zod: ZodSource, document: unknown): string {
  const { name, id, method, path, parameters, definition, where } = operation;
  const badName = path.match(/\{(?![A-Za-z_]\w*\})[^}]*\}/)?.[0];
  if (badName !== undefined) {
    throw new NotSupported(`the path parameter ${badName}`, where);
  }
  const query = parameters.filter((parameter) => parameter['in'] === 'query');
  const headers = parameters.filter((parameter) => parameter['in'] === 'header');
  const takesKey = headers.some(({ name }) => String(name).toLowerCase() === 'idempotency-key');
  const responses = Object.entries(isRecord(definition['responses']) ? definition['responses'] : {}).map(
    ([status, response]) => [status, resolve(document, response, `${where} ${status}`)] as const,
  );
  const explanations = responses.flatMap(([status, response]) =>
    typeof response['x-user-message'] === 'string' && /^[45]\d\d$/.test(status)
      ? [`${status}: ${quote(response['x-user-message'])},`]
      : [],
  );
  const lines = [
    `id: ${quote(id)},`,
    `method: ${quote(method)},`,
    `path: ${quote(path)},`,
    query.length > 0 && `query: ${querySchema(query, zod, where)},`,
    definition['requestBody'] !== undefined &&
      `body: ${jsonSchema(resolve(document, definition['requestBody'], where), zod, `${where} body`)},`,
    `response: ${responseSchema(responses, zod, where)},`,
    takesKey && `replay: 'key',`,
    explanations.length > 0 && `explain: { ${explanations.join(' ')} },`,
  ].filter((line) => line !== false);
  const needed = headers.map(({ name }) => String(name)).filter((name) => !/^idempotency-key$/i.test(name));
  return `${docComment(definition, needed)}export const ${name} = defineEndpoint({\n  ${lines.join('\n  ')}\n});`;
}

function querySchema(
  parameters: readonly Readonly<Record<string, unknown>>[],
  zod: ZodSource,
  where: string,
): string {
  const members = parameters.map((parameter) => {
    const name = String(parameter['name']);
    const place = `${where} query ${name}`;
    if ((parameter['style'] ?? 'form') !== 'form' || parameter['explode'] === false) {
      throw new NotSupported('a query parameter whose style is not exploded "form"', place);
    }
    const value = zod.expression(parameter['schema'], place);
    return `${propertyName(name)}: ${value}${parameter['required'] === true ? '' : '.optional()'},`;
  });
  return `z.strictObject({ ${members.join(' ')} })`;
}

function responseSchema(
  responses: readonly (readonly [string, Readonly<Record<string, unknown>>])[],
  zod: ZodSource,
  where: string,
): string {
  const good = responses.filter(([status]) => /^2(\d\d|XX)$/.test(status));
  if (good.length === 0) {
    throw new NotSupported('an operation without a 2xx response', where);
  }
  const schemas = new Set(
    good.map(([status, response]) =>
      response['content'] === undefined ? 'z.undefined()' : jsonSchema(response, zod, `${where} ${status}`),
    ),
  );
  return schemas.size === 1 ? [...schemas].join('') : `z.union([${[...schemas].join(', ')}])`;
}

function jsonSchema({ content }: Readonly<Record<string, unknown>>, zod: ZodSource, where: string): string {
  const media = isRecord(content) ? content['application/json'] : undefined;
  if (!isRecord(media)) {
    throw new NotSupported('a body other than application/json', where);
  }
  return zod.expression(media['schema'], where);
}

function docComment(definition: Readonly<Record<string, unknown>>, headers: readonly string[]): string {
  const { summary, description, deprecated } = definition;
  const takes = headers.length > 0 && `Takes ${headers.join(', ')} in the call's headers.`;
  const text = [summary ?? description, takes, deprecated === true && '@deprecated']
    .filter((part) => typeof part === 'string')
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('*/', '* /')
    .trim();
  return text === '' ? '' : `/** ${text} */\n`;
}

/** Follows a reference within the document; a schema's own references are kept, because they name things. */
function resolve(document: unknown, value: unknown, where: string): Readonly<Record<string, unknown>> {
  let node = value;
  for (let depth = 0; isRecord(node) && typeof node['$ref'] === 'string'; depth += 1) {
    const ref = node['$ref'];
    if (!ref.startsWith('#/') || depth > 16) {
      throw new NotSupported(`the reference ${ref}`, where);
    }
    node = ref
      .slice(2)
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>(
        (parent, key) => (isRecord(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined),
        document,
      );
  }
  if (!isRecord(node)) {
    throw new NotSupported('something that is no object', where);
  }
  return node;
}
