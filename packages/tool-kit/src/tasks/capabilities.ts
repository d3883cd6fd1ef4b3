import type { JsonObject } from '../json.ts';
import { TASKS_EXTENSION } from './task-meta.ts';

const TASKS_2025: JsonObject = { list: {}, cancel: {}, requests: { tools: { call: {} } } };

/** The capabilities of a table as 2025-11-25 has them: it knows tasks by another name, and no other extension of ours. */
export function capabilitiesOf2025(capabilities: JsonObject): JsonObject {
  const { extensions, ...others } = capabilities;
  if (typeof extensions !== 'object' || extensions === null || !Object.hasOwn(extensions, TASKS_EXTENSION)) {
    return capabilities;
  }
  // The capabilities of a table hold objects by name.
  const { [TASKS_EXTENSION]: _, ...rest } = extensions as JsonObject;
  return {
    ...others,
    ...(Object.keys(rest).length > 0 && { extensions: rest }),
    tasks: TASKS_2025,
  };
}
