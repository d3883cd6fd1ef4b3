import type { Completer } from './call-context.ts';
import type { ObjectSchema, OutputOf } from './object-schema.ts';
import type { Permission } from './permission.ts';

/** A prompt: a text that a person picks to start a piece of work with a model. */
export interface PromptDefinition<Arguments extends ObjectSchema<unknown, unknown> = ObjectSchema> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** One string schema for each argument; `.describe()` is shown to the person. */
  readonly arguments: Arguments;
  readonly permission: Permission<OutputOf<Arguments>>;
  readonly complete?: { readonly [Name in keyof OutputOf<Arguments>]?: Completer | undefined } | undefined;
  /** The text of the user message. */
  render(values: OutputOf<Arguments>): string;
}

/** Returns the prompt as it is, with the arguments' types inferred from its schema. */
export function definePrompt<Arguments extends ObjectSchema<unknown, unknown>>(
  prompt: PromptDefinition<Arguments>,
): PromptDefinition<Arguments> {
  return prompt;
}
