import { readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';

import type { Message, RecordedWire } from './recorded-wire.ts';
import type { Revision } from './suite.ts';

const documentSchema = z.looseObject({
  $defs: z.record(
    z.string(),
    z.looseObject({
      properties: z
        .looseObject({ method: z.looseObject({ const: z.string().optional() }).optional() })
        .optional(),
    }),
  ),
});

/**
 * What the server has sent that the schema of a revision does not allow: each message is held against the definition of
 * its method, and a result against that of the request that it answers.
 */
export function violationsOf({ sent, received }: RecordedWire, revision: Revision): readonly string[] {
  const { $defs: definitions, ...document } = readDocument(revision);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $defs: definitions }, 'mcp');

  const byMethod = new Map(
    Object.entries(definitions).flatMap(([name, { properties }]) => {
      const method = properties?.method?.const;
      return method === undefined ? [] : [[method, name] as const];
    }),
  );
  const methods = new Map(sent.map(({ id, method }) => [id, method]));

  return received.flatMap((message) => {
    const names = ['JSONRPCMessage', ...definitionsOf(message)];
    return names.flatMap((name) => {
      const [what, subject] = name.endsWith('Result') ? [name, message.result] : [name, message];
      const validate = ajv.getSchema(`mcp#/$defs/${what}`);
      if (validate === undefined) {
        return [`no definition ${what} for ${JSON.stringify(message)}`];
      }
      return validate(subject) === true
        ? []
        : [`${what}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(message)}`];
    });
  });

  function definitionsOf(message: Message): readonly string[] {
    if (message.method !== undefined) {
      return [byMethod.get(message.method) ?? `of ${message.method}`];
    }
    if (message.error !== undefined) {
      return ['JSONRPCErrorResponse'];
    }
    if (isObject(message.result) && message.result['resultType'] === 'input_required') {
      return ['InputRequiredResult'];
    }
    const request = byMethod.get(methods.get(message.id) ?? '') ?? 'UnknownRequest';
    const result = request.replace(/Request$/u, 'Result');
    return [Object.hasOwn(definitions, result) ? result : 'EmptyResult'];
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function readDocument(revision: Revision): z.infer<typeof documentSchema> {
  const file = new URL(`specification/${revision}.json`, import.meta.url);
  return documentSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}
