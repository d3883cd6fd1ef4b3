import { z } from 'zod';

/**
 * The schema of a variable whose range and default are those of an option. `resolve` gives the option's value, or its
 * default for `undefined`, and throws what the option's factory would.
 */
export function numberSetting(resolve: (value: number | undefined) => number): z.ZodType<number> {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      try {
        return resolve(text === undefined ? undefined : Number(text));
      } catch (error) {
        if (!(error instanceof RangeError)) {
          throw error;
        }
        // Without the option's name, which the variable's own replaces, and without the value.
        const message = error.message.replace(/^\w+ /u, '').replace(/, got .*$/u, '');
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
    });
}
