import { accepted, defineTool, form, roots, sampling, type Answer } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from '../harmless.ts';

/** A tool without arguments; `handle` asks. */
const asking = (
  name: string,
  description: string,
  handle: ReturnType<typeof defineTool<typeof nothing>>['handle'],
) => defineTool({ ...harmless, name, description, input: nothing, handle });

const nothing = z.strictObject({});
const yourName = form('What is your name?', z.object({ name: z.string() }));

/** What came of a question, as a text. */
function tell(answer: Answer<unknown>): string {
  return answer.outcome === 'accepted' ? `accepted: ${JSON.stringify(answer.value)}` : answer.outcome;
}

function askModel(text: string, maxTokens: number) {
  return sampling({ messages: [{ role: 'user', content: text }], maxTokens });
}

const person = defineTool({
  ...harmless,
  name: 'test_elicitation',
  description: 'Asks the person what the message says.',
  input: z.strictObject({ message: z.string() }),
  handle: async ({ message }, { ask }) =>
    tell(await ask(form(message, z.object({ response: z.string().describe("User's response") })))),
});

const defaults = asking(
  'test_elicitation_sep1034_defaults',
  'Asks for a value of each kind, with one that it begins with.',
  async (_input, { ask }) =>
    tell(
      await ask(
        form(
          'Please review and update the form fields with defaults',
          z.object({
            name: z.string().describe('User name').default('John Doe'),
            age: z.int().describe('User age').default(30),
            score: z.number().describe('User score').default(95.5),
            status: z.enum(['active', 'inactive', 'pending']).describe('User status').default('active'),
            verified: z.boolean().describe('Verification status').default(true),
          }),
        ),
      ),
    ),
);

const titled = (...titles: readonly [string, string, string]) =>
  z.union(titles.map((title, index) => z.literal(`value${index + 1}`).meta({ title })));

const choices = asking(
  'test_elicitation_sep1330_enums',
  'Asks for choices of each kind.',
  async (_input, { ask }) =>
    tell(
      await ask(
        form(
          'Please select options from the enum fields',
          z.object({
            untitledSingle: z.enum(['option1', 'option2', 'option3']).optional(),
            titledSingle: titled('First Option', 'Second Option', 'Third Option').optional(),
            legacyEnum: z
              .enum(['opt1', 'opt2', 'opt3'])
              .meta({ enumNames: ['Option One', 'Option Two', 'Option Three'] })
              .optional(),
            untitledMulti: z
              .array(z.enum(['option1', 'option2', 'option3']))
              .min(1)
              .max(3)
              .optional(),
            titledMulti: z
              .array(titled('First Choice', 'Second Choice', 'Third Choice'))
              .min(1)
              .max(3)
              .optional(),
          }),
        ),
      ),
    ),
);

const model = defineTool({
  ...harmless,
  name: 'test_sampling',
  description: "Asks the client's model.",
  input: z.strictObject({ prompt: z.string() }),
  handle: async ({ prompt }, { ask }) => tell(await ask(askModel(prompt, 100))),
});

const single = [
  asking('test_input_required_result_elicitation', 'Greets by name.', async (_input, { ask }) => {
    const { user_name } = await ask({ user_name: yourName });
    return `Hello, ${accepted(user_name).name}!`;
  }),
  asking('test_input_required_result_sampling', 'Asks a model for a capital.', async (_input, { ask }) => {
    const { capital_question } = await ask({
      capital_question: askModel('What is the capital of France?', 100),
    });
    return accepted(capital_question).text ?? 'No text.';
  }),
  asking('test_input_required_result_list_roots', 'Tells the folders.', async (_input, { ask }) => {
    const { client_roots } = await ask({ client_roots: roots() });
    return accepted(client_roots)
      .map(({ uri }) => uri)
      .join('\n');
  }),
  asking('test_input_required_result_request_state', 'Asks for a yes.', async (_input, { ask }) => {
    const { confirm } = await ask({ confirm: form('Please confirm', z.object({ ok: z.boolean() })) });
    return accepted(confirm).ok ? 'state-ok' : 'state-ok, but not confirmed';
  }),
  asking('test_input_required_result_tampered_state', 'Asks for a yes, too.', async (_input, { ask }) => {
    const { confirm } = await ask({ confirm: form('Please confirm', z.object({ ok: z.boolean() })) });
    return tell(confirm);
  }),
  asking('test_streaming_elicitation', 'Asks, and says so before.', async (_input, { ask, progress }) => {
    progress(1, 2, 'about to ask');
    return tell(await ask(yourName));
  }),
  asking('test_missing_capability', 'Can do nothing without a model.', async (_input, { ask }) => {
    return accepted(await ask(askModel('Say yes.', 10))).text ?? 'No text.';
  }),
];

const several = [
  asking('test_input_required_result_multiple_inputs', 'Asks three things.', async (_input, { ask }) => {
    const { user_name, greeting, client_roots } = await ask({
      user_name: yourName,
      greeting: askModel('Generate a greeting', 50),
      client_roots: roots(),
    });
    return [tell(user_name), tell(greeting), tell(client_roots)].join('\n');
  }),
  asking('test_input_required_result_capabilities', 'Asks what it can.', async (_input, { ask }) => {
    const { user_name, greeting } = await ask({
      user_name: yourName,
      greeting: askModel('Generate a greeting', 50),
    });
    return [tell(user_name), tell(greeting)].join('\n');
  }),
  asking('test_input_required_result_multi_round', 'Asks twice.', async (_input, { ask }) => {
    const { step1 } = await ask({
      step1: form('Step 1: What is your name?', z.object({ name: z.string() })),
    });
    const { name } = accepted(step1);
    const { step2 } = await ask({
      step2: form(`Step 2: What is your favorite color, ${name}?`, z.object({ color: z.string() })),
    });
    return `${name} likes ${accepted(step2).color}.`;
  }),
];

/** Questions of every kind to the client, the person and the model, one at a time, together, and after each other. */
export const questionTools = [person, defaults, choices, model, ...single, ...several];
