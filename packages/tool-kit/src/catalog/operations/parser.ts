import type { z } from 'zod';

import { argumentParser } from '../../arguments/argument-parser.ts';
import { invalidInput } from '../../call/failure/failure.ts';
import type { OperationOf } from '../../call/operation.ts';

/** Parses arguments with the schema; what is left out altogether, or null, is no argument. */
export function parserOf<Input>(
  target: string,
  schema: z.ZodType<Input>,
): OperationOf<Input, unknown>['parse'] {
  const parse = argumentParser(schema);
  return (sent) => {
    const parsed = parse(sent ?? {});
    return parsed.success
      ? { ok: true, input: parsed.data }
      : { ok: false, failure: invalidInput(target, parsed.error) };
  };
}
