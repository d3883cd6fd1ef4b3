import { argumentRecorder } from '../../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type Operation } from '../../call/operation.ts';
import type { PromptDefinition, PromptMessage } from '../../definition/define-prompt.ts';
import { permissionSelector } from '../../definition/permission.ts';
import { zodObject } from '../../definition/schema/object-schema.ts';
import type { JsonObject } from '../../json.ts';
import { withoutUnseen } from '../../visible-text.ts';
import { parserOf } from './parser.ts';

/** `prompts/get` on one prompt. */
export function promptOperation(prompt: PromptDefinition): Operation {
  const input = zodObject(prompt.arguments);
  const recorder = argumentRecorder(input);
  return sealOperation<Record<string, unknown>, string | readonly PromptMessage[]>({
    name: prompt.name,
    span: spanOf('prompts/get', prompt.name),
    permission: prompt.permission,
    permissionOf: permissionSelector(prompt.permission),
    parse: parserOf(prompt.name, input),
    record: (values, audit) => recorder(values, {}, audit),
    readOnly: true,
    audited: 'always',
    run: (values, context) => prompt.render(values, context),
    respond(rendered) {
      const messages =
        typeof rendered === 'string' ? [{ role: 'user', content: rendered } as const] : rendered;
      return { result: withoutUnseen({ messages: messages.map(messageOf) }), isFailure: false };
    },
  });
}

function messageOf({ role, content }: PromptMessage): JsonObject {
  // A block is what the protocol has, which is JSON.
  const block =
    typeof content === 'string' ? { type: 'text', text: content } : (content as unknown as JsonObject);
  return { role, content: block };
}
