import type { JsonObject, JsonValue } from '@mcp-parts/tool-kit';

import type { Change } from './change.ts';

/** Keywords that let fewer values through when they rise, and when they fall. */
const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const WORDS = ['description', 'title', 'examples', 'default'];

/** Of what a client sends: what was taken must be taken. */
export function inputChanges(where: string, before: JsonObject, after: JsonObject): readonly Change[] {
  return changes(where, before, after, 'taken');
}

/** Of what a client gets: what is given must be what was given. */
export function outputChanges(where: string, before: JsonObject, after: JsonObject): readonly Change[] {
  return changes(where, before, after, 'given');
}

type Direction = 'taken' | 'given';

function changes(
  where: string,
  before: JsonObject,
  after: JsonObject,
  direction: Direction,
): readonly Change[] {
  const found: Change[] = [];
  const narrower = (what: string) =>
    found.push({ level: direction === 'taken' ? 'breaking' : 'compatible', where, what });
  const wider = (what: string) =>
    found.push({ level: direction === 'taken' ? 'compatible' : 'breaking', where, what });

  compareTypes(before, after, { narrower, wider });
  compareBounds(before, after, { narrower, wider });
  for (const keyword of ['pattern', 'format', 'const']) {
    const [was, is] = [before[keyword], after[keyword]];
    if (text(was) !== text(is)) {
      found.push({
        level: is === undefined && direction === 'taken' ? 'compatible' : 'breaking',
        where,
        what: `${keyword} was ${text(was)}, now ${text(is)}`,
      });
    }
  }
  if (WORDS.some((keyword) => text(before[keyword]) !== text(after[keyword]))) {
    found.push({ level: 'wording', where, what: 'is described in other words' });
  }
  return [
    ...found,
    ...memberChanges(where, before, after, direction),
    ...innerChanges(where, before, after, direction),
  ];
}

interface Say {
  readonly narrower: (what: string) => void;
  readonly wider: (what: string) => void;
}

function compareTypes(before: JsonObject, after: JsonObject, { narrower, wider }: Say): void {
  for (const keyword of ['type', 'enum']) {
    const was = listOf(before[keyword]);
    const is = listOf(after[keyword]);
    const gone = was?.filter((value) => is !== undefined && !is.includes(value)) ?? [];
    const come = is?.filter((value) => was !== undefined && !was.includes(value)) ?? [];
    if (gone.length > 0 || (was === undefined && is !== undefined)) {
      narrower(
        gone.length > 0
          ? `${keyword} no longer has ${gone.join(', ')}`
          : `${keyword} is limited to ${text(after[keyword])}`,
      );
    }
    if (come.length > 0 || (was !== undefined && is === undefined)) {
      wider(come.length > 0 ? `${keyword} also has ${come.join(', ')}` : `${keyword} is no longer limited`);
    }
  }
}

function compareBounds(before: JsonObject, after: JsonObject, { narrower, wider }: Say): void {
  for (const keyword of [...LOWER_BOUNDS, ...UPPER_BOUNDS]) {
    const [was, is] = [before[keyword], after[keyword]];
    if (was === is) {
      continue;
    }
    const rises = Number(is ?? -Infinity) > Number(was ?? -Infinity);
    const isNarrower =
      is !== undefined && (was === undefined || (LOWER_BOUNDS.includes(keyword) ? rises : !rises));
    (isNarrower ? narrower : wider)(`${keyword} was ${text(was)}, now ${text(is)}`);
  }
}

function memberChanges(
  where: string,
  before: JsonObject,
  after: JsonObject,
  direction: Direction,
): readonly Change[] {
  const [was, is] = [membersOf(before), membersOf(after)];
  const [needed, needs] = [listOf(before['required']) ?? [], listOf(after['required']) ?? []];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name): readonly Change[] => {
    const [old, now] = [was[name], is[name]];
    const at = `${where}.${name}`;
    const key = JSON.stringify(name);
    if (old === undefined) {
      const isBreaking = direction === 'taken' && needs.includes(key);
      return [
        {
          level: isBreaking ? 'breaking' : 'compatible',
          where: at,
          what: isBreaking ? 'was added, and is required' : 'was added',
        },
      ];
    }
    if (now === undefined) {
      const isIgnored = direction === 'taken' && after['additionalProperties'] !== false;
      return [{ level: isIgnored ? 'compatible' : 'breaking', where: at, what: 'was removed' }];
    }
    const [wasNeeded, isNeeded] = [needed.includes(key), needs.includes(key)];
    const level = (direction === 'taken') === isNeeded ? 'breaking' : 'compatible';
    return [
      ...(wasNeeded === isNeeded
        ? []
        : [{ level, where: at, what: isNeeded ? 'is required now' : 'may be left out now' } as const]),
      ...changes(at, old, now, direction),
    ];
  });
}

/** What a schema holds besides members: compared where both have it, and said to have changed where it differs otherwise. */
function innerChanges(
  where: string,
  before: JsonObject,
  after: JsonObject,
  direction: Direction,
): readonly Change[] {
  const [items, itemsNow] = [before['items'], after['items']];
  const inItems =
    isSchema(items) && isSchema(itemsNow) ? changes(`${where}[]`, items, itemsNow, direction) : [];
  const others = [
    'anyOf',
    'oneOf',
    'allOf',
    '$ref',
    '$defs',
    'prefixItems',
    'additionalProperties',
    'not',
    'uniqueItems',
  ].filter((keyword) => text(before[keyword]) !== text(after[keyword]));
  // Whether a change within alternatives breaks somebody cannot be told by their text.
  return [
    ...inItems,
    ...others.map((keyword): Change => ({ level: 'breaking', where, what: `${keyword} has changed` })),
  ];
}

function membersOf({ properties }: JsonObject): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(
    Object.entries(isSchema(properties) ? properties : {}).map(([name, member]) => [
      name,
      isSchema(member) ? member : {},
    ]),
  );
}

/** As texts, so that they can be compared. */
function listOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  return (Array.isArray(value) ? (value as readonly JsonValue[]) : [value]).map((item) =>
    JSON.stringify(item),
  );
}

function isSchema(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: JsonValue | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
