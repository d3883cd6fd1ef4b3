/** How much of a value is copied. */
export interface CopyLimits {
  /** Characters of each text, names of members included. */
  readonly text: number;
  /** Entries of each list, and members of each object beyond a few that every object keeps. */
  readonly entries: number;
  /** Levels of nesting. */
  readonly depth: number;
}

/** What is kept of any value. */
export const COPY_LIMITS: CopyLimits = { text: 1024, entries: Infinity, depth: 8 };

const TRUNCATED = '…[truncated]';
const TOO_DEEP = '[too deep]';
const UNREADABLE = '[unreadable]';
// No object of ours has more.
const MIN_MEMBERS = 16;

// JSON.stringify escapes C0 controls only. DEL, C1, the line separators and the bidi controls can forge or
// reorder text in a terminal, an editor or a naive line reader.
const UNSAFE_CHARACTERS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** How many characters a copy may have; below zero, it was not finished. */
export interface CopyBudget {
  left: number;
}

/**
 * Copies what JSON can hold, for `JSON.stringify` to encode without surprises: strings keep at most 1,024
 * characters, nesting at most 8 levels (which also ends a cycle), functions such as `toJSON` are left out, and a
 * member whose getter throws becomes `[unreadable]`. Never throws, and stops when its budget is used up.
 */
export function boundedCopy(
  value: unknown,
  limits: CopyLimits = COPY_LIMITS,
  budget: CopyBudget = { left: Infinity },
): unknown {
  return copy(value, { ...limits, budget }, limits.depth);
}

/** `JSON.stringify` for one line of safe text; what it decodes to stays the same. */
export function safeJson(value: object): string {
  return JSON.stringify(value).replace(
    UNSAFE_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

interface Bounds extends CopyLimits {
  readonly budget: CopyBudget;
}

function copy(value: unknown, bounds: Bounds, depth: number): unknown {
  const { budget } = bounds;
  budget.left -= 1;
  if (budget.left < 0) {
    return undefined;
  }
  switch (typeof value) {
    case 'string':
      return boundedText(value, bounds);
    case 'number':
      // JSON has no other: they would become null, which no field of ours is.
      return Number.isFinite(value) ? value : undefined;
    case 'boolean':
      return value;
    case 'bigint':
      return boundedText(value.toString(), bounds);
    case 'object':
      if (value === null) {
        return null;
      }
      return depth === 0 ? TOO_DEEP : copyReadable(value, bounds, depth - 1);
    case 'function':
    case 'symbol':
    case 'undefined':
      return undefined;
    default:
      return undefined;
  }
}

function copyReadable(value: object, bounds: Bounds, depth: number): unknown {
  try {
    return Array.isArray(value) ? copyList(value, bounds, depth) : copyObject(value, bounds, depth);
  } catch {
    // A proxy of somebody else: whatever is wrong with it, the event is recorded.
    return UNREADABLE;
  }
}

function copyList(value: readonly unknown[], bounds: Bounds, depth: number): unknown[] {
  const copied: unknown[] = [];
  for (const item of value) {
    if (copied.length >= bounds.entries || bounds.budget.left < 0) {
      break;
    }
    copied.push(copy(item, bounds, depth));
  }
  return copied;
}

function copyObject(value: object, bounds: Bounds, depth: number): object {
  const copied: Record<string, unknown> = {};
  const source = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(value).slice(0, Math.max(bounds.entries, MIN_MEMBERS))) {
    if (bounds.budget.left < 0) {
      break;
    }
    const name = boundedText(key, bounds);
    const item = copyMember(source, key, bounds, depth);
    // To assign `__proto__` would set the prototype.
    if (name === '__proto__') {
      Object.defineProperty(copied, name, { value: item, enumerable: true });
    } else {
      copied[name] = item;
    }
  }
  return copied;
}

function copyMember(
  source: Readonly<Record<string, unknown>>,
  key: string,
  bounds: Bounds,
  depth: number,
): unknown {
  try {
    return copy(source[key], bounds, depth);
  } catch {
    return UNREADABLE;
  }
}

function boundedText(text: string, { text: maxLength, budget }: Bounds): string {
  const kept = text.length > maxLength ? text.slice(0, maxLength) + TRUNCATED : text;
  budget.left -= kept.length;
  // A lone surrogate has no UTF-8 form: the bytes on disk would not be the text that was hashed.
  return kept.toWellFormed();
}
