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
}

/**
 * How a call has to be confirmed. `as_defined`: as the tool says. `confirm`: by a yes, where the tool wants a name.
 * `none`: not at all.
 */
export type ConfirmationLevel = 'as_defined' | 'confirm' | 'none';
