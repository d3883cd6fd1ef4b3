import { PublicError } from '../../errors.ts';
import { unseenIn } from '../../visible-text.ts';

/** A failure that is to be expected, and what a model is to do about it. */
export interface ErrorDefinition {
  /** What is the case then, as a sentence without its full stop: `The room is taken at that time`. */
  readonly when: string;
  /** What to do next, as one or two sentences. */
  readonly whatToDo: string;
  /** Whether the tool's description tells of it: every model pays for that on every turn. @default it is told when it happens */
  readonly isListed?: boolean | undefined;
}

/** What may be said of one failure. */
export interface FailureDetails {
  /** What failed this time, in place of `when`; a whole sentence. */
  readonly message?: string | undefined;
  /** For the operator's log alone. */
  readonly cause?: unknown;
}

/** Makes the error of one code, to be thrown. */
export interface DeclaredError extends ErrorDefinition {
  (details?: FailureDetails): PublicError;
}

/** The failures that a definition knows, by their codes. */
export type DeclaredErrors<Code extends string = string> = Readonly<Record<Code, DeclaredError>>;

const CODE = /^[a-z][a-z0-9_]{0,63}$/u;

/**
 * Makes a function for each code that makes the error to throw: `throw errors.room_taken()`. A code that is not there
 * does not compile. The model reads what failed and what to do; the code goes to the audit trail and metrics, and to
 * programs beside the answer. Name them as `errors` of the tool that throws them.
 *
 * @throws {TypeError} for a code that is not lower case with `_`, or a text that is empty or cannot be seen.
 */
export function createErrors<const Code extends string>(
  definitions: Readonly<Record<Code, ErrorDefinition>>,
): DeclaredErrors<Code> {
  const entries = Object.entries<ErrorDefinition>(definitions).map(([code, definition]) => {
    checkDefinition(code, definition);
    const { when, whatToDo } = definition;
    const make = ({ message = `${when}.`, cause }: FailureDetails = {}) =>
      new PublicError(code, `${message} ${whatToDo}`, { cause, nextStep: whatToDo });
    return [code, Object.assign(make, definition)] as const;
  });
  // Made of the codes that were given.
  return Object.fromEntries(entries) as DeclaredErrors<Code>;
}

function checkDefinition(code: string, { when, whatToDo }: ErrorDefinition): void {
  if (!CODE.test(code)) {
    throw new TypeError(`error "${code}": a code has 1-64 characters of a-z 0-9 _, and begins with a letter`);
  }
  for (const [name, text] of Object.entries({ when, whatToDo })) {
    if (text.trim() === '' || unseenIn(text) !== undefined) {
      throw new TypeError(
        `error "${code}": ${name} must be a text that can be seen, got ${JSON.stringify(text)}`,
      );
    }
  }
}

/** What a tool's description says of its errors. */
export function listedErrors(errors: DeclaredErrors = {}): string {
  return Object.entries(errors)
    .filter(([, { isListed }]) => isListed === true)
    .map(([code, { when, whatToDo }]) => ` ${when} (${code}): ${whatToDo}`)
    .join('');
}
