import { z } from 'zod';

const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/u;
const WITH_UNIT = /^(\d+(?:\.\d+)?)\s*(ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)$/iu;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The schema of a variable whose range and default are those of an option. `resolve` gives the option's value, or its
 * default for `undefined`, and throws what the option's factory would. Numbers are decimal and have no unit.
 */
export function numberSetting<T extends number | undefined>(
  resolve: (value: number | undefined) => T,
): z.ZodType<T> {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      try {
        return resolve(text === undefined ? undefined : decimal(text));
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

/** `0x10`, `1e3` and `1_000` are numbers to JavaScript and typing errors in a manifest. */
function decimal(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

const WITH_SIZE = /^(\d+(?:\.\d+)?)\s*([kmgt])(i?)b?$/iu;
const POWERS = ['k', 'm', 'g', 't'];
const EXPONENT = /^\d+(?:\.\d+)?e\+?\d{1,2}$/iu;

/** What to write where somebody wrote a number with a unit or with marks between its digits. */
export function plainNumber(name: string, text: string): string | undefined {
  const digits = text.replaceAll(/(?<=\d)[_,'](?=\d{3}\b)/gu, '');
  if (digits !== text && DECIMAL.test(digits)) {
    return digits;
  }
  if (EXPONENT.test(text)) {
    return String(Number(text));
  }
  const [, size, power = '', binary = ''] = WITH_SIZE.exec(text) ?? [];
  if (size !== undefined && (name.endsWith('_BYTES') || name.includes('_BYTES_'))) {
    // As Kubernetes has it: Mi is 1024 x 1024, M a million.
    const base = binary === '' ? 1000 : 1024;
    return String(Math.round(Number(size) * base ** (POWERS.indexOf(power.toLowerCase()) + 1)));
  }
  const [, amount, unit = ''] = WITH_UNIT.exec(text) ?? [];
  if (amount === undefined) {
    return undefined;
  }
  const short = unit.toLowerCase() === 'ms' ? 1 : (UNIT_MS[unit.charAt(0).toLowerCase()] ?? 1000);
  if (name.endsWith('_MS')) {
    return String(Math.round(Number(amount) * short));
  }
  const perUnit = name.endsWith('_DAYS') ? UNIT_MS['d'] : name.endsWith('_SECONDS') ? 1000 : undefined;
  return perUnit === undefined ? undefined : String((Number(amount) * short) / perUnit);
}
