import type { AnswerRoom, OperationResponse } from '../call/operation.ts';
import { resourceLink, type ResourceLink } from '../definition/content.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { encodeJson } from '../encoded-json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { excerpt, shortened, sizeOf, type LeftOut } from './shortened.ts';
import { contentResponse, toldVisibly, type ReadOutput } from './tool-response.ts';

/** Answers with less of an output, so that it fits. `undefined` when there is no need, or no way to. */
export type FitAnswer = (
  returned: unknown,
  input: Record<string, unknown>,
  room: AnswerRoom,
) => OperationResponse | undefined;

// What is said of it, and the rest of the result.
const NOTE_BYTES = 512;
const MAX_ATTEMPTS = 6;

/** Of a tool with an output schema. `mayAddNextStep`: what is listed has a `nextStep` that the tool's own schema lacks. */
export function fitData(
  tool: ToolDefinition,
  read: ReadOutput,
  schema: JsonObject,
  mayAddNextStep: boolean,
): FitAnswer {
  return (returned, input, { formBytes, maxBytes }) => {
    const output = read(returned);
    const whole = toldVisibly(tool, output, input, false);
    const fits = ({ result }: OperationResponse, bytes: number) =>
      encodeJson(result).bytes <= maxBytes && formsOf(result).every((size) => size <= bytes);
    if (fits(whole, formBytes)) {
      return undefined;
    }
    let bytes = Math.min(formBytes, Math.floor(maxBytes / 2)) - NOTE_BYTES;
    for (let attempt = 0; attempt < MAX_ATTEMPTS && bytes > 0; attempt++) {
      const cut = shortened(output as JsonValue, schema, bytes);
      if (cut === undefined) {
        return undefined;
      }
      if (cut.leftOut.length > 0) {
        const response = toldOf(cut.value as JsonObject, cut.leftOut, output, input);
        if (response === undefined || fits(response, formBytes)) {
          return response;
        }
      }
      // Text may say more than the data, and JSON in a text is longer than it is.
      bytes = Math.floor(bytes * 0.6);
    }
    return undefined;
  };

  function toldOf(
    value: JsonObject,
    leftOut: readonly LeftOut[],
    output: Record<string, unknown>,
    input: Record<string, unknown>,
  ): OperationResponse | undefined {
    const link = tool.whole?.(output, input);
    const { nextStep, ...more } = tool.whenCut?.(value, input) ?? {};
    const said = [
      sentenceOf(leftOut),
      typeof nextStep === 'string' ? nextStep : howToRead(link),
      ...(nextStep === undefined && typeof value['nextStep'] === 'string' ? [value['nextStep']] : []),
    ].join(' ');
    const stated = { nextStep: said };
    try {
      const checked = read({ ...value, ...more, ...(!mayAddNextStep && stated) });
      const complete = mayAddNextStep ? { ...checked, ...stated } : checked;
      // Excerpts say for themselves that they are; of lists it could not be said in both forms.
      const isSaid = complete['nextStep'] === said || leftOut.every(({ unit }) => unit === 'characters');
      return isSaid ? linked(toldVisibly(tool, complete, input, false), link) : undefined;
    } catch {
      // The schema asks for more than its keywords say, such as a total that is the length of the list.
      return undefined;
    }
  }
}

/** Of a tool that answers with content: its texts become excerpts. */
export function fitContent(tool: ContentToolDefinition): FitAnswer {
  return (returned, input, { formBytes, maxBytes }) => {
    const whole = contentResponse(returned);
    const blocks = whole.result['content'] as readonly JsonObject[];
    const textBytes = formsOf(whole.result)[0] ?? 0;
    const otherBytes = encodeJson(whole.result).bytes - sizeOf(blocks.map(textOf).join(''));
    const room = Math.min(formBytes, maxBytes - otherBytes) - NOTE_BYTES;
    const isShort = textBytes <= formBytes && encodeJson(whole.result).bytes <= maxBytes;
    if (isShort || room <= 0) {
      return undefined;
    }
    const texts = blocks.filter(({ type }) => type === 'text').length;
    let count = 0;
    let of = 0;
    const cut = blocks.map((block) => {
      const text = textOf(block);
      const share = Math.floor(room / texts);
      const size = sizeOf(text);
      if (size <= share) {
        return block;
      }
      // In JSON a character may take more bytes than it is long.
      const shown = excerpt(text, Math.floor((share * Buffer.byteLength(text)) / size));
      count += text.length - shown.length;
      of += text.length;
      return { ...block, text: shown };
    });
    const link = tool.whole?.(returned, input);
    const note = `${sentenceOf([{ name: '', unit: 'characters', count, of }])} ${howToRead(link)}`;
    const content = [...cut, { type: 'text', text: note }];
    const response = linked({ ...whole, result: { ...whole.result, content } }, link);
    return count > 0 && encodeJson(response.result).bytes <= maxBytes ? response : undefined;
  };
}

function textOf({ type, text }: JsonObject): string {
  return type === 'text' && typeof text === 'string' ? text : '';
}

/** The bytes of the texts, and of the structure. */
function formsOf({ content, structuredContent }: JsonObject): readonly number[] {
  const texts = (content as readonly JsonObject[]).map((block) => Buffer.byteLength(textOf(block)));
  return [
    texts.reduce((sum, size) => sum + size, 0),
    structuredContent === undefined ? 0 : sizeOf(structuredContent),
  ];
}

function sentenceOf(leftOut: readonly LeftOut[]): string {
  const parts = leftOut.map(
    ({ name, unit, count, of }) => `${count} of ${of} ${unit}${name === '' ? '' : ` of ${name}`}`,
  );
  return `Left out, as the answer is too long: ${parts.join(', ')}.`;
}

function howToRead(link: ResourceLink | undefined): string {
  return link === undefined
    ? 'Ask for less at a time to see the rest.'
    : `Read the resource ${link.uri} for all of it.`;
}

function linked(response: OperationResponse, link: ResourceLink | undefined): OperationResponse {
  if (link === undefined) {
    return response;
  }
  const content = [
    ...(response.result['content'] as readonly JsonObject[]),
    // A block is what the protocol has, which is JSON.
    resourceLink(link) as unknown as JsonObject,
  ];
  return { ...response, result: { ...response.result, content } };
}
