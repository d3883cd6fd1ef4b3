import type { JsonObject } from '../json.ts';

const STARTED: JsonObject = {
  type: 'object',
  properties: { taskId: { type: 'string' }, state: { type: 'string' }, nextStep: { type: 'string' } },
  required: ['taskId', 'state', 'nextStep'],
};

/** The output of a long-running tool, whose call is answered with its task where the client knows no tasks. */
export function orStarted({ $defs, ...schema }: JsonObject): JsonObject {
  // The root of what refers to itself has moved.
  const moved = JSON.parse(
    JSON.stringify(schema).replaceAll('"$ref":"#"', '"$ref":"#/anyOf/1"'),
  ) as JsonObject;
  return {
    ...(schema['type'] === 'object' && { type: 'object' }),
    anyOf: [STARTED, moved],
    ...($defs !== undefined && { $defs }),
  };
}
