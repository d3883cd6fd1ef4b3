import { argumentRecorder } from '../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type Operation } from '../call/operation.ts';
import type { ToolDefinition } from '../definition/define-tool.ts';
import { zodObject } from '../definition/object-schema.ts';
import { permissionSelector } from '../definition/permission.ts';
import type { JsonObject } from '../json.ts';
import { parserOf } from './parser.ts';

/** `tools/call` on one tool. */
export function toolOperation(tool: ToolDefinition): Operation {
  const schema = zodObject(tool.input);
  const output = zodObject(tool.output);
  const record = argumentRecorder(schema);
  return sealOperation<Record<string, unknown>, unknown>({
    name: tool.name,
    span: spanOf('tools/call', tool.name),
    permission: tool.permission,
    permissionOf: permissionSelector(tool.permission),
    parse: parserOf(tool.name, schema),
    record: (input, audit) => record(input, tool.audit?.(input) ?? {}, audit),
    readOnly: tool.annotations.readOnly,
    audited: 'always',
    onUnavailable: tool.onUnavailable,
    deadlineMs: tool.deadlineMs,
    run: (input, context) => tool.handle(input, context),
    respond(returned, input) {
      const structured = output.parse(returned);
      const isFailure = tool.isFailure?.(structured) ?? false;
      const text = withNextStep(tool.text(structured, input), structured);
      // The schema has just been checked; what it lets through must be JSON, as it has a JSON Schema.
      return { result: toolResult(text, structured as JsonObject, isFailure), isFailure };
    },
  });
}

function toolResult(text: string, structuredContent: JsonObject, isFailure: boolean): JsonObject {
  const content = [{ type: 'text', text }];
  return isFailure ? { content, structuredContent, isError: true } : { content, structuredContent };
}

/** Some clients hand a model the text and others the structure: what it is told to do next stands in both. */
function withNextStep(text: string, { nextStep }: Record<string, unknown>): string {
  return typeof nextStep !== 'string' || nextStep === '' || text.includes(nextStep)
    ? text
    : `${text}\nNext: ${nextStep}`;
}
