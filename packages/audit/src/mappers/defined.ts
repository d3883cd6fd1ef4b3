import type { JsonObject } from '../event/event.ts';

/** Leaves out what is `undefined`, at every depth, as JSON would. */
export function defined(value: object): JsonObject {
  // Mappers pass only members of an event, which came from JSON, and constants.
  return strip(value) as JsonObject;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(strip);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, strip(member)]])),
  );
}
