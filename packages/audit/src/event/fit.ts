import { boundedCopy, COPY_LIMITS, safeJson, type CopyLimits } from './safe-json.ts';

/** Tried one after the other: lists give way before texts. */
const STEPS: readonly CopyLimits[] = [
  ...[256, 128, 64, 32, 16].map((entries) => ({ ...COPY_LIMITS, entries })),
  { text: 256, entries: 16, depth: 6 },
  { text: 64, entries: 16, depth: 4 },
  { text: 64, entries: 8, depth: 2 },
];
/** Leaves no room for anything large. */
const LAST_STEP: CopyLimits = { text: 16, entries: 1, depth: 1 };

const MAX_NAMED_MEMBERS = 16;

type Members = Readonly<Record<string, unknown>>;

/** Encodes a value as JSON; `undefined` when that takes more than `maxLength` characters. */
export function encodeWithin(
  value: object,
  maxLength: number,
  limits: CopyLimits = COPY_LIMITS,
): string | undefined {
  const budget = { left: maxLength };
  const copied = boundedCopy(value, limits, budget);
  const text = budget.left < 0 ? undefined : safeJson(Object(copied));
  return text !== undefined && text.length <= maxLength ? text : undefined;
}

/**
 * Encodes fields as JSON members, without the braces, in at most about `maxLength` characters. What does not fit is
 * cut, and the path of each cut list or object is added to `cut`.
 */
export function fitMembers(fields: object, maxLength: number, cut: Set<string>): string {
  const whole = encodeWithin(fields, maxLength);
  if (whole !== undefined) {
    return whole.slice(1, -1);
  }
  for (const limits of STEPS) {
    // The fields themselves are a level of their own.
    const text = encodeWithin(fields, maxLength, { ...limits, depth: limits.depth + 1 });
    if (text !== undefined) {
      noteCuts(fields, text, cut);
      return text.slice(1, -1);
    }
  }
  const text = safeJson(Object(boundedCopy(fields, { ...LAST_STEP, depth: LAST_STEP.depth + 1 })));
  noteCuts(fields, text, cut);
  return text.slice(1, -1);
}

function noteCuts(fields: object, text: string, cut: Set<string>): void {
  // What was encoded just now.
  const kept = JSON.parse(text) as Members;
  for (const [name, value] of Object.entries(fields)) {
    if (isWhole(value, kept[name])) {
      continue;
    }
    const inner = innerCuts(value, kept[name]);
    if (inner === undefined) {
      cut.add(name);
    } else {
      inner.forEach((member) => cut.add(`${name}.${member}`));
    }
  }
}

/** The members that were cut, where the object is one of ours: the names in others are somebody else's. */
function innerCuts(value: unknown, kept: unknown): string[] | undefined {
  if (!isObject(value) || !isObject(kept)) {
    return undefined;
  }
  const names = Object.keys(value);
  return names.length > MAX_NAMED_MEMBERS || names.some((name) => !(name in kept))
    ? undefined
    : names.filter((name) => !isWhole(value[name], kept[name]));
}

function isWhole(value: unknown, kept: unknown): boolean {
  const text = safeJson({ value: kept });
  return encodeWithin({ value }, text.length) === text;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
