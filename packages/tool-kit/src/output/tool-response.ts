import type { OperationOf, OperationResponse } from '../call/operation.ts';
import type { Content } from '../definition/content.ts';
import type { ToolAnswer, ToolDefinition } from '../definition/define-tool.ts';
import type { JsonObject } from '../json.ts';
import { withoutUnseen } from '../visible-text.ts';

type Respond = OperationOf<Record<string, unknown>, unknown>['respond'];

/** Checks an output and leaves of it what may be told. */
export type ReadOutput = (returned: unknown) => Record<string, unknown>;

/** What nobody sees is in no answer: backends say what they like. */
function visible(response: OperationResponse): OperationResponse {
  return { ...response, result: withoutUnseen(response.result) };
}

/** Data in its schema, and what says it to a model. */
export function dataResponse(tool: ToolDefinition, read: ReadOutput, isWrapped: boolean): Respond {
  return (returned, input, { era }) => toldVisibly(tool, read(returned), input, isWrapped && era === '2025');
}

/** What a tool says of an output, without what nobody sees: the text of data is that of the structure beside it. */
export function toldVisibly(
  tool: ToolDefinition,
  output: Record<string, unknown>,
  input: Record<string, unknown>,
  isWrapped: boolean,
): OperationResponse {
  const response = told(tool, output, input, isWrapped);
  const seen = visible(response);
  if (tool.text !== undefined || seen.result === response.result) {
    return seen;
  }
  const { content, structuredContent } = seen.result as {
    readonly content: readonly JsonObject[];
    readonly structuredContent: JsonObject;
  };
  const data = isWrapped ? structuredContent['result'] : structuredContent;
  // Within a text, what nobody sees may be spelt out, as JSON does, where `visible` leaves it.
  const text = { type: 'text', text: JSON.stringify(data) };
  return { ...seen, result: { ...seen.result, content: [text, ...content.slice(1)] } };
}

/** What a tool says of an output: the same in text and in structure, and more blocks where it has them. */
function told(
  tool: ToolDefinition,
  output: Record<string, unknown>,
  input: Record<string, unknown>,
  isWrapped: boolean,
): OperationResponse {
  const text =
    tool.text === undefined ? JSON.stringify(output) : withNextStep(tool.text(output, input), output);
  const isFailure = tool.isFailure?.(output) ?? false;
  const more = tool.content?.(output, input) ?? [];
  const result = {
    content: blocks([text, ...more]),
    // The schema has just been checked; what it lets through must be JSON, as it has a JSON Schema.
    structuredContent: (isWrapped ? { result: output } : output) as JsonObject,
  };
  return withExtras(result, isFailure, tool.resultMeta?.(output, input));
}

/** Content alone. */
export function contentResponse(returned: unknown): OperationResponse {
  // The type of the handler says so.
  const answer = returned as ToolAnswer;
  if (typeof answer === 'string' || isBlocks(answer)) {
    return visible({ result: { content: blocks(answer) }, isFailure: false });
  }
  const { content, isFailure = false, meta } = answer;
  return visible(withExtras({ content: blocks(content) }, isFailure, meta));
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
