import { CallFailed, invalidCursor } from '../call/failure/failure.ts';

/**
 * A place in a list as the opaque text that the protocol asks for. It is not sealed: whatever it names is looked up
 * again among what the caller may see, so it works on every replica, and a made-up one opens nothing.
 */
export function encodeCursor(place: readonly (string | null)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Of as many parts as were put into it. @throws {CallFailed} for anything that was not made by `encodeCursor`. */
export function decodeCursor(cursor: unknown, parts: number): readonly (string | null)[] {
  const place: unknown =
    typeof cursor === 'string' && cursor.length <= MAX_LENGTH ? parse(cursor) : undefined;
  if (!Array.isArray(place) || place.length !== parts || !place.every(isPart)) {
    throw new CallFailed(invalidCursor());
  }
  return place;
}

/** Far above any URI. */
const MAX_LENGTH = 16_384;

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    // It is not one of ours.
    return undefined;
  }
}

function isPart(part: unknown): part is string | null {
  return part === null || typeof part === 'string';
}
