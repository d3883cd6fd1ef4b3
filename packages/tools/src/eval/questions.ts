import { parse } from 'yaml';
import { z } from 'zod';

const expectedCall = z.strictObject({
  tool: z.string(),
  /** The arguments that matter; others may stand beside them. */
  arguments: z.record(z.string(), z.json()).default({}),
});

const questionsSchema = z.strictObject({
  questions: z
    .array(
      z.strictObject({
        ask: z.string().min(1),
        /** In this order; other calls may stand between them. */
        expect: z.array(expectedCall).default([]),
        never: z.array(z.string()).default([]),
      }),
    )
    .min(1),
});

/** A question, the calls that it should lead to, and the tools that it should not. */
export type Question = z.output<typeof questionsSchema>['questions'][number];

/** A call that a model made. */
export interface MadeCall {
  readonly tool: string;
  readonly arguments: unknown;
}

/** @throws {Error} naming what is wrong with the file. */
export function parseQuestions(text: string): readonly Question[] {
  const parsed = questionsSchema.safeParse(parse(text));
  if (!parsed.success) {
    throw new Error(`the questions are not of the form that eval reads: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data.questions;
}

/** What is wrong with the calls that a model made; nothing when they are as expected. */
export function judge({ expect, never }: Question, made: readonly MadeCall[]): readonly string[] {
  const problems = never
    .filter((tool) => made.some((call) => call.tool === tool))
    .map((tool) => `it called ${tool}, which it must not`);
  let from = 0;
  for (const wanted of expect) {
    const at = made.findIndex(
      (call, index) => index >= from && call.tool === wanted.tool && covers(call.arguments, wanted.arguments),
    );
    if (at === -1) {
      problems.push(`it did not call ${wanted.tool} with ${JSON.stringify(wanted.arguments)}`);
      break;
    }
    from = at + 1;
  }
  return problems;
}

/** Whether a value holds all that is wanted of it. */
function covers(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) {
    return value === wanted;
  }
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const members = value as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([name, member]) => covers(members[name], member));
}
