import { argumentRecorder } from '../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type Operation } from '../call/operation.ts';
import type { PromptDefinition } from '../definition/define-prompt.ts';
import { zodObject } from '../definition/object-schema.ts';
import { permissionSelector } from '../definition/permission.ts';
import { parserOf } from './parser.ts';

/** `prompts/get` on one prompt. */
export function promptOperation(prompt: PromptDefinition): Operation {
  const input = zodObject(prompt.arguments);
  const recorder = argumentRecorder(input);
  return sealOperation<Record<string, unknown>, string>({
    name: prompt.name,
    span: spanOf('prompts/get', prompt.name),
    permission: prompt.permission,
    permissionOf: permissionSelector(prompt.permission),
    parse: parserOf(prompt.name, input),
    record: (values, audit) => recorder(values, {}, audit),
    readOnly: true,
    audited: 'always',
    run: (values) => prompt.render(values),
    respond: (text) => ({
      result: { messages: [{ role: 'user', content: { type: 'text', text } }] },
      isFailure: false,
    }),
  });
}
