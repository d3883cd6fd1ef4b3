import type { JsonObject, JsonValue } from '../json.ts';
import type { Found } from './catalog-problem.ts';

/** What clients are known to handle badly, by keyword. */
const CONSTRUCTS: readonly {
  readonly isIn: (schema: JsonObject, isRoot: boolean) => boolean;
  readonly keyword: string;
  readonly message: string;
  readonly clients: readonly string[];
}[] = [
  {
    keyword: '$ref',
    isIn: (schema) => schema['$ref'] !== undefined,
    message:
      'A reference is left where the schema contains itself: Copilot Studio drops the tool. Limit the depth.',
    clients: ['Copilot Studio'],
  },
  {
    keyword: 'type',
    isIn: (schema) => Array.isArray(schema['type']),
    message:
      'Copilot Studio cuts the schema at a list of types. Use one type, and leave the argument out for null.',
    clients: ['Copilot Studio'],
  },
  {
    keyword: 'anyOf',
    isIn: (schema, isRoot) =>
      isRoot && ['anyOf', 'oneOf', 'allOf'].some((name) => schema[name] !== undefined),
    message:
      'Providers refuse a union as a tool’s arguments. Use one object, with a field that says which case it is.',
    clients: ['Copilot Studio', 'OpenAI', 'Gemini CLI'],
  },
  {
    keyword: 'exclusiveMinimum',
    isIn: (schema) => typeof schema['exclusiveMinimum'] === 'number',
    message: 'Copilot Studio fails on it. Use min(1) instead of positive(), or another inclusive bound.',
    clients: ['Copilot Studio'],
  },
];

/** What in a schema some clients refuse. `at`: where the schema stands in the list entry. */
export function checkConstructs(schema: JsonObject, at: string): readonly Found[] {
  return [...schemasIn(schema, at)].flatMap(({ node, at: where }) =>
    CONSTRUCTS.filter(({ isIn }) => isIn(node, where === at)).map(({ keyword, message, clients }) => ({
      code: 'schema_construct',
      level: 'error',
      at: `${where}/${keyword}`,
      message,
      clients,
    })),
  );
}

/** Codex and Genkit take these away before a model reads the schema; only words are left. */
const BOUNDS = ['minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'] as const;
const DROPPED_BY = ['Codex', 'Genkit'] as const;
/** What words about a form, or about where a value comes from, are likely to have. */
const WORDS_OF_FORM =
  /\d|letter|digit|character|form|format|like|such as|example|e\.g\.|must|only|of the|from|gives|returns|returned/iu;

/** Whether a model is told in words what the schema of its arguments says. `about`: what the tool's description says. */
export function checkArguments(schema: JsonObject, at: string, about: string): readonly Found[] {
  return [...schemasIn(schema, at)].flatMap(({ node, at: where, isProperty }) => {
    if (!isProperty) {
      return [];
    }
    const { description } = node;
    const found: Found[] = [];
    if (typeof description !== 'string') {
      const message = 'Say in a description what it is, in which form, and what happens without it.';
      found.push({ code: 'argument_undescribed', level: 'warning', at: where, message, clients: [] });
    }
    const words = `${typeof description === 'string' ? description : ''} ${about}`;
    const unsaid = BOUNDS.filter((name) => isUnsaid(name, node[name], words));
    const isFormUnsaid =
      node['pattern'] !== undefined && !(typeof description === 'string' && WORDS_OF_FORM.test(description));
    const all = [
      ...unsaid.map((name) => `${name} ${JSON.stringify(node[name])}`),
      ...(isFormUnsaid ? ['pattern'] : []),
    ];
    if (all.length > 0) {
      found.push({
        code: 'constraint_unsaid',
        level: 'warning',
        at: where,
        message: `Say in the description, too: ${all.join(', ')}. Some clients give a model the words alone.`,
        clients: DROPPED_BY,
      });
    }
    return found;
  });
}

/** That there must be something is said by asking for it, and no number is safer than the largest. */
function isUnsaid(name: (typeof BOUNDS)[number], bound: JsonValue | undefined, words: string): boolean {
  const isTrivial = (name.startsWith('min') && Number(bound) <= 1) || Math.abs(Number(bound)) >= 2 ** 31 - 1;
  return (
    typeof bound === 'number' &&
    !isTrivial &&
    !words.replaceAll(/(?<=\d)[ ,_'](?=\d{3})/gu, '').includes(String(bound))
  );
}

interface Node {
  readonly node: JsonObject;
  readonly at: string;
  /** Whether it is an argument, or a member of one. */
  readonly isProperty: boolean;
}

const INNER = [
  'items',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'contains',
  'propertyNames',
] as const;
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const;
const NAMED = ['properties', 'patternProperties', '$defs'] as const;

function* schemasIn(schema: JsonValue | undefined, at: string, isProperty = false): Generator<Node> {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return;
  }
  // Not an array, which was just excluded.
  const node = schema as JsonObject;
  yield { node, at, isProperty };
  for (const name of INNER) {
    yield* schemasIn(node[name], `${at}/${name}`);
  }
  for (const name of [...LISTS, ...NAMED]) {
    for (const [key, inner] of Object.entries(node[name] ?? {})) {
      yield* schemasIn(inner as JsonValue, `${at}/${name}/${escaped(key)}`, name === 'properties');
    }
  }
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
