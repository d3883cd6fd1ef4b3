import { z } from 'zod';

/** A message of a conversation, as chat completions have it. */
export type Message = Readonly<Record<string, unknown>>;

/** What a model said: a text, or calls of tools. */
export interface Said {
  readonly message: Message;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
}

/** A model behind an endpoint for chat completions. */
export interface Model {
  readonly url: string;
  readonly name: string;
  /** @default the endpoint asks for none */
  readonly key: string | undefined;
}

const completion = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        message: z.looseObject({
          role: z.literal('assistant'),
          content: z.string().nullish(),
          tool_calls: z
            .array(
              z.looseObject({
                id: z.string(),
                function: z.looseObject({ name: z.string(), arguments: z.string() }),
              }),
            )
            .nullish(),
        }),
      }),
    )
    .min(1),
});

/**
 * Asks a model to go on with a conversation.
 *
 * @throws {Error} when the endpoint does not answer, or not as chat completions do.
 */
export async function askModel(
  { url, name, key }: Model,
  messages: readonly Message[],
  tools: readonly Message[],
  signal: AbortSignal,
): Promise<Said> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ model: name, messages, tools }),
    signal,
  });
  if (!response.ok) {
    throw new Error(`the model's endpoint answered with the status ${response.status}`);
  }
  const parsed = completion.safeParse(await response.json());
  const message = parsed.data?.choices[0]?.message;
  if (message === undefined) {
    throw new Error("the model's endpoint answered with something else than a chat completion");
  }
  return {
    message,
    calls: (message.tool_calls ?? []).map(({ id, function: { name: tool, arguments: sent } }) => ({
      id,
      name: tool,
      arguments: argumentsIn(sent),
    })),
  };
}

/** A model may write what is no JSON; the server is to say so. */
function argumentsIn(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text) as unknown;
  } catch {
    return text;
  }
}
