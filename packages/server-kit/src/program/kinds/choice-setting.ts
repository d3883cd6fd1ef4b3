import { z } from 'zod';

import { nearest } from './nearest.ts';

const WORDS: Readonly<Record<string, string>> = {
  warning: 'warn',
  trace: 'debug',
  verbose: 'debug',
  fatal: 'error',
  off: 'silent',
};

/** The schema of a variable that takes one of some words, in any case. */
export function choiceSetting<const T extends string>(
  choices: readonly T[],
  byDefault: NoInfer<T>,
): z.ZodType<T> {
  return optionalChoiceSetting(choices).transform((choice) => choice ?? byDefault);
}

/** As {@link choiceSetting}, where leaving it out says something else than each of the words. */
export function optionalChoiceSetting<const T extends string>(
  choices: readonly T[],
): z.ZodType<T | undefined> {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined) {
        return undefined;
      }
      const lower = text.toLowerCase();
      const choice = choices.find((word) => word === lower);
      if (choice !== undefined) {
        return choice;
      }
      const near = choices.find((word) => word === WORDS[lower]) ?? nearest(text, choices);
      context.addIssue({
        code: 'custom',
        message: `must be one of ${choices.join(', ')}${near === undefined ? '' : `: write ${near}`}`,
      });
      return z.NEVER;
    });
}

/** The schema of a variable that is true or false, in the spellings that manifests and compose files use for it. */
export function booleanSetting(byDefault: boolean): z.ZodType<boolean> {
  return z.stringbool('must be true or false: write one of them').default(byDefault);
}
