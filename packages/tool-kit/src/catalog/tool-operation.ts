import { argumentRecorder } from '../arguments/argument-privacy.ts';
import {
  sealOperation,
  spanOf,
  type Operation,
  type OperationOf,
  type OperationResponse,
} from '../call/operation.ts';
import type { Content } from '../definition/content.ts';
import type { ContentToolDefinition, ToolAnswer, ToolDefinition } from '../definition/define-tool.ts';
import { zodValue } from '../definition/object-schema.ts';
import { permissionSelector } from '../definition/permission.ts';
import type { JsonObject } from '../json.ts';
import { withoutUnseen } from '../visible-text.ts';
import { parserOf } from './parser.ts';

/** `tools/call` on one tool. `isWrapped`: its output is no object, which the older revisions must be given. */
export function toolOperation(tool: ToolDefinition | ContentToolDefinition, isWrapped: boolean): Operation {
  const schema = zodValue(tool.input);
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
    limit: tool.limit,
    run: (input, context) => tool.handle(input, context),
    respond: visible(tool.output === undefined ? contentResponse : dataResponse(tool, isWrapped)),
  });
}

type Respond = OperationOf<Record<string, unknown>, unknown>['respond'];

/** What nobody sees is in no answer: backends say what they like. */
function visible(respond: Respond): Respond {
  return (returned, input, request) => {
    const response = respond(returned, input, request);
    return { ...response, result: withoutUnseen(response.result) };
  };
}

/** Data in its schema, and what says it to a model. */
function dataResponse(tool: ToolDefinition, isWrapped: boolean): Respond {
  const schema = zodValue(tool.output);
  return (returned, input, { era }) => {
    const output = schema.parse(returned);
    const text =
      tool.text === undefined ? JSON.stringify(output) : withNextStep(tool.text(output, input), output);
    const isFailure = tool.isFailure?.(output) ?? false;
    const more = tool.content?.(output, input) ?? [];
    const result = {
      content: blocks([text, ...more]),
      // The schema has just been checked; what it lets through must be JSON, as it has a JSON Schema.
      structuredContent: (isWrapped && era === '2025' ? { result: output } : output) as JsonObject,
    };
    return withExtras(result, isFailure, tool.resultMeta?.(output, input));
  };
}

/** Content alone. */
function contentResponse(returned: unknown): OperationResponse {
  // The type of the handler says so.
  const answer = returned as ToolAnswer;
  if (typeof answer === 'string' || isBlocks(answer)) {
    return { result: { content: blocks(answer) }, isFailure: false };
  }
  const { content, isFailure = false, meta } = answer;
  return withExtras({ content: blocks(content) }, isFailure, meta);
}

function isBlocks(answer: ToolAnswer): answer is readonly (string | Content)[] {
  return Array.isArray(answer);
}

function blocks(content: string | readonly (string | Content)[]): readonly JsonObject[] {
  const all = typeof content === 'string' ? [content] : content;
  // A block is what the protocol has, which is JSON.
  return all.map((block) =>
    typeof block === 'string' ? { type: 'text', text: block } : (block as unknown as JsonObject),
  );
}

function withExtras(result: JsonObject, isFailure: boolean, meta: JsonObject | undefined): OperationResponse {
  return isFailure || meta !== undefined
    ? {
        result: {
          ...result,
          ...(isFailure && { isError: true }),
          ...(meta !== undefined && { _meta: meta }),
        },
        isFailure,
      }
    : { result, isFailure };
}

/** Some clients hand a model the text and others the structure: what it is told to do next stands in both. */
function withNextStep(text: string, { nextStep }: Record<string, unknown>): string {
  return typeof nextStep !== 'string' || nextStep === '' || text.includes(nextStep)
    ? text
    : `${text}\nNext: ${nextStep}`;
}
