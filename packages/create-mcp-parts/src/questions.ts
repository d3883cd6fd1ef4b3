import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

import { PROFILES } from './auth-profile.ts';
import type { ProjectOptions, Transport } from './project-options.ts';

/** Where a person is. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Asks a person for what was not said. What they leave empty is the first choice. */
export async function askForOptions(
  given: Partial<ProjectOptions>,
  { input, output }: Terminal,
): Promise<ProjectOptions> {
  const lines = createInterface({ input, output });
  const choose = async <Choice extends string>(
    question: string,
    choices: readonly [Choice, ...Choice[]],
  ): Promise<Choice> => {
    const answer = (await lines.question(`${question} (${choices.join(', ')}) [${choices[0]}] `)).trim();
    const chosen = answer === '' ? choices[0] : choices.find((choice) => choice === answer);
    return chosen ?? choose(question, choices);
  };
  const agree = async (question: string): Promise<boolean> =>
    (await choose(question, ['no', 'yes'])) === 'yes';
  try {
    const name = given.name ?? ((await lines.question('Name [my-server] ')).trim() || 'my-server');
    const transport =
      given.transport ?? (await choose<Transport>('How do clients reach it?', ['stdio', 'http', 'both']));
    const isRemote = transport !== 'stdio';
    const providers = ['none', ...PROFILES.keys()] as [string, ...string[]];
    return {
      name,
      transport,
      auth:
        given.auth ?? (isRemote ? await choose('Whose access tokens does it accept?', providers) : 'none'),
      audit: given.audit ?? (await agree('Commands for the audit trail?')),
      tasks: given.tasks ?? (await agree('A tool whose work goes on after the answer?')),
      redis: given.redis ?? (isRemote && (await agree('Do replicas share a Redis?'))),
    };
  } finally {
    lines.close();
  }
}
