/** A JSON Schema as OpenAPI 3.1 holds it; checked against the specification before it comes here. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** What this generator cannot express, and where it is in the document. */
export class NotSupported extends Error {
  override readonly name = 'NotSupported';

  constructor(what: string, where: string) {
    super(`${where}: ${what} is not supported`);
  }
}

/** Writes schemas as zod's TypeScript source. */
export interface ZodSource {
  /** An expression for the schema; declares the components it needs. */
  readonly expression: (schema: unknown, where: string) => string;
  /** `const Name = …;` for every component needed so far, each after those it uses. */
  readonly declarations: () => readonly string[];
  /** The names of those components. */
  readonly names: () => readonly string[];
}

/** A writer for the schemas of one document. */
export function createZodSource(components: Readonly<Record<string, unknown>>): ZodSource {
  const declared = new Map<string, { readonly name: string; readonly source: string }>();
  // Components that are being written: whoever needs one of them is part of a cycle.
  const beingWritten = new Set<string>();
  let cycle = false;

  function reference(ref: unknown, where: string): string {
    const component = /^#\/components\/schemas\/([\w.-]+)$/.exec(String(ref))?.[1];
    if (component === undefined || !Object.hasOwn(components, component)) {
      throw new NotSupported(`a reference to ${String(ref)} and not to a "#/components/schemas/Name"`, where);
    }
    // OpenAPI allows dots and dashes in names; two that become one are noticed with all other names.
    const name = component.replaceAll(/[.-]/g, '_').replace(/^\d/, '_$&');
    if (beingWritten.has(component)) {
      cycle = true;
    } else if (!declared.has(component)) {
      beingWritten.add(component);
      const outer = cycle;
      cycle = false;
      const source = expression(components[component], `#/components/schemas/${component}`);
      if (cycle) {
        throw new NotSupported(`${component}, which leads to itself outside a property,`, where);
      }
      cycle = outer;
      beingWritten.delete(component);
      declared.set(component, { name, source: `const ${name} = ${source};` });
    }
    return name;
  }

  function expression(schema: unknown, where: string): string {
    if (schema === true || schema === undefined) {
      return 'z.json()';
    }
    if (schema === false) {
      return 'z.never()';
    }
    if (!isRecord(schema)) {
      throw new NotSupported('a schema that is no object', where);
    }
    const only = (kind: keyof typeof UNDERSTOOD) => refuseOthers(schema, UNDERSTOOD[kind], where);
    if (schema['$ref'] !== undefined) {
      only('reference');
      return reference(schema['$ref'], where);
    }
    if ('const' in schema || Array.isArray(schema['enum'])) {
      only('value');
      const values = 'const' in schema ? [schema['const']] : schema['enum'];
      return literals(Array.isArray(values) ? values : [], where);
    }
    const alternatives = schema['oneOf'] ?? schema['anyOf'];
    if (Array.isArray(alternatives)) {
      only('alternatives');
      return union(alternatives.map((item, index) => expression(item, `${where}/${index}`)));
    }
    if (Array.isArray(schema['allOf'])) {
      only('all');
      const [first = 'z.json()', ...rest] = schema['allOf'].map((item, index) =>
        expression(item, `${where}/allOf/${index}`),
      );
      return rest.reduce((left, right) => `z.intersection(${left}, ${right})`, first);
    }
    const type = schema['type'] ?? (schema['properties'] === undefined ? undefined : 'object');
    if (Array.isArray(type)) {
      return union(type.map((one) => ofTypes(schema, type, one, where)));
    }
    switch (type) {
      case 'string':
        only('string');
        return string(schema);
      case 'integer':
        only('number');
        return number('z.int()', schema);
      case 'number':
        only('number');
        return number('z.number()', schema);
      case 'boolean':
        only('bare');
        return 'z.boolean()';
      case 'null':
        only('bare');
        return 'z.null()';
      case 'array':
        only('array');
        return `z.array(${expression(schema['items'], `${where}/items`)})${limits(schema, [
          ['minItems', 'min'],
          ['maxItems', 'max'],
        ])}`;
      case 'object':
        only('object');
        return object(schema, where);
      case undefined:
        only('bare');
        return 'z.json()';
      default:
        throw new NotSupported(`the type ${JSON.stringify(type)}`, where);
    }
  }

  /** One of several types: a null takes none of the constraints, which are about the other type. */
  function ofTypes(
    schema: Readonly<Record<string, unknown>>,
    types: readonly unknown[],
    type: unknown,
    where: string,
  ): string {
    if (type === 'null') {
      return 'z.null()';
    }
    if (types.filter((other) => other !== 'null').length > 1 && Object.keys(schema).length > 1) {
      refuseOthers(schema, UNDERSTOOD.bare, where);
    }
    return expression({ ...schema, type }, where);
  }

  function object(schema: Readonly<Record<string, unknown>>, where: string): string {
    const { properties, required, additionalProperties } = schema;
    const needed = new Set(Array.isArray(required) ? required : []);
    if (!isRecord(properties)) {
      if (needed.size > 0) {
        throw new NotSupported('"required" without "properties"', where);
      }
      return `z.record(z.string(), ${expression(additionalProperties, `${where}/additionalProperties`)})`;
    }
    const members = Object.entries(properties).map(([name, property]) => {
      const outer = cycle;
      cycle = false;
      const value =
        expression(property, `${where}/properties/${name}`) + (needed.has(name) ? '' : '.optional()');
      const isPartOfCycle = cycle;
      cycle = outer;
      const key = propertyName(name);
      // A getter lets a schema name itself, or one that is declared later.
      return isPartOfCycle ? `get ${key}() { return ${value}; },` : `${key}: ${value},`;
    });
    const body = `{ ${members.join(' ')} }`;
    if (additionalProperties === false) {
      return `z.strictObject(${body})`;
    }
    if (additionalProperties === undefined || additionalProperties === true) {
      return `z.object(${body})`;
    }
    return `z.object(${body}).catchall(${expression(additionalProperties, `${where}/additionalProperties`)})`;
  }

  return {
    expression,
    declarations: () => [...declared.values()].map(({ source }) => source),
    names: () => [...declared.values()].map(({ name }) => name),
  };
}

function string(schema: Readonly<Record<string, unknown>>): string {
  const { format, pattern } = schema;
  const base = (typeof format === 'string' ? FORMATS[format] : undefined) ?? 'z.string()';
  const checks = limits(schema, [
    ['minLength', 'min'],
    ['maxLength', 'max'],
  ]);
  return base + checks + (typeof pattern === 'string' ? `.regex(new RegExp(${quote(pattern)}, 'u'))` : '');
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'z.iso.datetime({ offset: true })',
  date: 'z.iso.date()',
  uuid: 'z.guid()',
  email: 'z.email()',
  uri: 'z.url()',
};

function number(base: string, schema: Readonly<Record<string, unknown>>): string {
  return (
    base +
    limits(schema, [
      ['minimum', 'min'],
      ['maximum', 'max'],
      ['exclusiveMinimum', 'gt'],
      ['exclusiveMaximum', 'lt'],
      ['multipleOf', 'multipleOf'],
    ])
  );
}

function limits(
  schema: Readonly<Record<string, unknown>>,
  checks: readonly (readonly [keyword: string, method: string])[],
): string {
  return checks
    .map(([keyword, method]) =>
      schema[keyword] === undefined ? '' : `.${method}(${Number(schema[keyword])})`,
    )
    .join('');
}

function literals(values: readonly unknown[], where: string): string {
  const all = values.map((value) => literal(value, where)).join(', ');
  if (values.length === 1) {
    return `z.literal(${all})`;
  }
  return values.every((value) => typeof value === 'string') ? `z.enum([${all}])` : `z.literal([${all}])`;
}

function literal(value: unknown, where: string): string {
  if (typeof value === 'string') {
    return quote(value);
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'number') {
    return String(value);
  }
  throw new NotSupported('an enum or const that is no string, number, boolean or null', where);
}

function union(members: readonly string[]): string {
  const different = [...new Set(members)];
  const [only] = different;
  if (different.length === 1 && only !== undefined) {
    return only;
  }
  const rest = different.filter((member) => member !== 'z.null()');
  const [single] = rest;
  if (rest.length === 1 && single !== undefined) {
    return `${single}.nullable()`;
  }
  return `z.union([${different.join(', ')}])`;
}

/** A string literal in single quotes. */
export function quote(text: string): string {
  return `'${JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)}'`;
}

/** A property name, quoted where it must be. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A constraint that is not understood, or has no effect here, would be a promise that the generated schema breaks. */
function refuseOthers(
  schema: Readonly<Record<string, unknown>>,
  understood: ReadonlySet<string>,
  where: string,
): void {
  for (const keyword of Object.keys(schema)) {
    if (!understood.has(keyword) && !ANNOTATIONS.has(keyword) && !keyword.startsWith('x-')) {
      throw new NotSupported(`"${keyword}"`, where);
    }
  }
}

/** Keywords that say nothing about which values are valid. */
const ANNOTATIONS: ReadonlySet<string> = new Set(
  `title description default example examples deprecated readOnly writeOnly $comment discriminator externalDocs xml
  `.split(/\s+/),
);

/** The constraints that each kind of schema may have. */
const UNDERSTOOD = {
  reference: new Set(['$ref']),
  value: new Set(['type', 'const', 'enum']),
  // The type beside alternatives says the same once more.
  alternatives: new Set(['type', 'oneOf', 'anyOf']),
  all: new Set(['type', 'allOf']),
  string: new Set(['type', 'format', 'pattern', 'minLength', 'maxLength']),
  number: new Set([
    'type',
    'format',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'multipleOf',
  ]),
  array: new Set(['type', 'items', 'minItems', 'maxItems']),
  object: new Set(['type', 'properties', 'required', 'additionalProperties']),
  bare: new Set(['type']),
} satisfies Record<string, ReadonlySet<string>>;
