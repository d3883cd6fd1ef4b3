import type { z } from 'zod';

import { zodObject, type ObjectSchema, type OutputOf } from '../definition/schema/object-schema.ts';
import { checkSchemaVersion } from '../definition/schema/schema-version.ts';
import type { Question, Reading } from '../exchange/question.ts';
import type { JsonObject } from '../json.ts';
import { formSchema } from './form-schema.ts';
import { readRefusal } from './refusal.ts';

/**
 * A form for the person: flat, of texts, numbers, yes or no, and choices; `.describe()` is the help beside a field,
 * `.meta({ title })` its label, and `.default()` what it begins with. The answer is checked against the schema; one that
 * does not fit is asked for again. Never ask for secrets in a form (2025-11-25, client/elicitation): use `openUrl`.
 *
 * @throws {TypeError} for a schema that no form can show.
 */
export function form<Schema extends ObjectSchema<unknown, unknown>>(
  message: string,
  schema: Schema,
): Question<OutputOf<Schema>> {
  checkSchemaVersion('form', schema);
  const fields = zodObject(schema);
  return {
    method: 'elicitation/create',
    params: { message, requestedSchema: formSchema(fields) },
    capability: { elicitation: { form: {} } },
    read: (result) => readForm<OutputOf<Schema>>(fields, result),
  };
}

function readForm<Value>(schema: z.ZodObject, result: JsonObject): Reading<Value> {
  const { content } = result;
  if (result['action'] !== 'accept') {
    return readRefusal(result);
  }
  const parsed = schema.safeParse(content ?? {});
  return parsed.success
    ? // The schema gives what its type says.
      { ok: true, answer: { outcome: 'accepted', value: parsed.data as Value } }
    : { ok: false, problem: problemsOf(parsed.error) };
}

const MAX_PROBLEMS = 4;

function problemsOf({ issues }: z.ZodError): string {
  return issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ');
}
