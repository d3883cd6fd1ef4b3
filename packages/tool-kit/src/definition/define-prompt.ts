import type { CallContext, Completer } from './call-context.ts';
import type { Content } from './content.ts';
import type { ListingOptions } from './listing-options.ts';
import type { Permission } from './permission.ts';
import type { ObjectSchema, OutputOf } from './schema/object-schema.ts';

/** One message of a conversation that a prompt begins. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | Content;
}

/** A prompt: a text that a person picks to start a piece of work with a model. */
export interface PromptDefinition<
  Arguments extends ObjectSchema<unknown, unknown> = ObjectSchema,
> extends ListingOptions {
  readonly name: string;
  readonly description: string;
  /** One string schema for each argument; `.describe()` is shown to the person. */
  readonly arguments: Arguments;
  readonly permission: Permission<OutputOf<Arguments>>;
  readonly complete?: { readonly [Name in keyof OutputOf<Arguments>]?: Completer | undefined } | undefined;
  /** The text of the user's message, or several messages. */
  render(
    values: OutputOf<Arguments>,
    context: CallContext,
  ): string | readonly PromptMessage[] | Promise<string | readonly PromptMessage[]>;
}

/** Returns the prompt as it is, with the arguments' types inferred from its schema. */
export function definePrompt<Arguments extends ObjectSchema<unknown, unknown>>(
  prompt: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return prompt;
}
