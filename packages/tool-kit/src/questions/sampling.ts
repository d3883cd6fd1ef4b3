import type { Content } from '../definition/content.ts';
import type { Question } from '../exchange/question.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/** One message of the conversation that the client's model is to go on with. */
export interface SamplingMessage {
  readonly role: 'user' | 'assistant';
  /** A text, or what the revision has: text, image, audio, and with `tools` the uses of tools and their results. */
  readonly content: string | Content | JsonObject | readonly JsonObject[];
}

/** What is asked of the client's model. Of other members, the protocol's own names and values. */
export interface SamplingRequest {
  readonly messages: readonly SamplingMessage[];
  /** The maximum length of the answer, in tokens. */
  readonly maxTokens: number;
  readonly systemPrompt?: string | undefined;
  readonly temperature?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  readonly modelPreferences?: JsonObject | undefined;
  readonly metadata?: JsonObject | undefined;
  /** Only clients that say `sampling.tools` can be asked then. */
  readonly tools?: readonly JsonObject[] | undefined;
  readonly toolChoice?: JsonObject | undefined;
}

/** What the client's model said. It is no more to be trusted than what a person types. */
export interface SamplingResult {
  /** Its text, where it said one, and only that. */
  readonly text: string | undefined;
  /** As the protocol has it. */
  readonly content: JsonObject | readonly JsonObject[];
  readonly model: string;
  readonly stopReason: string | undefined;
}

/** Asks the client's model. A person sees it and may decline. */
export function sampling(request: SamplingRequest): Question<SamplingResult> {
  const { messages, tools, toolChoice } = request;
  const withTools = tools !== undefined || toolChoice !== undefined;
  const params: JsonObject = {
    ...(request as unknown as JsonObject),
    messages: messages.map(({ role, content }) => ({
      role,
      // A block is what the protocol has, which is JSON.
      content: (typeof content === 'string' ? { type: 'text', text: content } : content) as JsonValue,
    })),
  };
  return {
    method: 'sampling/createMessage',
    params,
    capability: { sampling: withTools ? { tools: {} } : {} },
    read({ content, model, stopReason }) {
      if (!isContent(content) || typeof model !== 'string') {
        return { ok: false, problem: 'it has no content and no model' };
      }
      const value = {
        text: textOf(content),
        content,
        model,
        stopReason: typeof stopReason === 'string' ? stopReason : undefined,
      };
      return { ok: true, answer: { outcome: 'accepted', value } };
    },
  };
}

function isContent(content: JsonValue | undefined): content is JsonObject | readonly JsonObject[] {
  return typeof content === 'object' && content !== null;
}

function textOf(content: JsonObject | readonly JsonObject[]): string | undefined {
  const [block, ...others] = isList(content) ? content : [content];
  const text = others.length === 0 && block?.['type'] === 'text' ? block['text'] : undefined;
  return typeof text === 'string' ? text : undefined;
}

function isList(content: JsonObject | readonly JsonObject[]): content is readonly JsonObject[] {
  return Array.isArray(content);
}
