import type { ListingOptions } from './listing-options.ts';

/** What a person has to agree to before a tool does its work. */
export interface Confirmation {
  /** What will be done, as a question to the person. */
  readonly message: string;
  /**
   * Of what is acted on, such as an ETag: a yes to one version is none to another. It is never shown.
   * @default only the message says what is agreed to
   */
  readonly version?: string | undefined;
  /** The name of what is acted on, which the person has to type. @default a yes is enough */
  readonly typedName?: string | undefined;
  /** Somebody else has to approve it, with the tool that `approval` makes. @default whoever calls confirms */
  readonly secondPerson?: boolean | undefined;
}

/** Who else approves calls of a tool, and with which tool, which is made beside it. */
export interface Approval extends Pick<ListingOptions, 'title'> {
  /** What the second person needs. */
  readonly permission: string;
  /** @default the tool's name with `_approve` */
  readonly name?: string | undefined;
  /** Starts with a verb; says when to use it. @default words about the tool */
  readonly description?: string | undefined;
}

/**
 * How a call has to be confirmed. `as_defined`: as the tool says. `second_person`: by somebody else, through the tool of
 * its `approval`. `confirm`: by a yes, where the tool wants a name or a second person. `none`: not at all.
 */
export type ConfirmationLevel = 'as_defined' | 'second_person' | 'confirm' | 'none';
