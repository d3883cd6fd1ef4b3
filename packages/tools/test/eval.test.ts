import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

import { describe, expect, it, onTestFinished } from 'vitest';

import { runTools, temporaryFolder, texts } from './run-tools.ts';

interface Asked {
  readonly authorization: string | undefined;
  readonly body: {
    readonly messages: readonly { readonly role: string; readonly content?: string }[];
    readonly tools: readonly { readonly function: { readonly name: string } }[];
  };
}

/** A model that makes these calls for whatever it is asked, and then says that it is done. */
async function scriptedModel(
  calls: readonly { readonly name: string; readonly arguments: string }[],
  status = 200,
) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const asking = { authorization: request.headers.authorization, body: body as Asked['body'] };
      asked.push(asking);
      const answered = asking.body.messages.filter(({ role }) => role === 'tool').length;
      const call = calls[answered];
      const message =
        call === undefined
          ? { role: 'assistant', content: 'Done.' }
          : {
              role: 'assistant',
              content: null,
              tool_calls: [{ id: `call-${answered}`, type: 'function', function: call }],
            };
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ choices: [{ message }] }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`, asked };
}

const counting = { name: 'count_words', arguments: '{"text":"a b c"}' };

async function evaluate(model: { readonly url: string }, questions: string, ...options: string[]) {
  const directory = await temporaryFolder();
  await writeFile(join(directory, 'questions.yaml'), questions);
  await writeFile(join(directory, 'key'), 'planted-key\n');
  const args = [
    'eval',
    'questions.yaml',
    '--model-url',
    model.url,
    '--model',
    'scripted',
    '--key-file',
    'key',
  ];
  return runTools([...args, ...options, ...texts('first')], { directory });
}

describe('mcp-tools eval', () => {
  it('gives the model the tools, runs what only reads, and finds the expected calls', async () => {
    const model = await scriptedModel([counting]);
    const { exitStatus, out } = await evaluate(
      model,
      'questions:\n  - ask: How many words has "a b c"?\n    expect:\n      - tool: count_words\n        arguments: { text: a b c }\n',
    );

    expect({ exitStatus, out }).toEqual({
      exitStatus: 0,
      out: 'ok   How many words has "a b c"?\n1 of 1 as expected\n',
    });
    expect(model.asked[0]?.authorization).toBe('Bearer planted-key');
    expect(model.asked[0]?.body.tools.map((tool) => tool.function.name)).toEqual(['count_words']);
    expect(model.asked[1]?.body.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: 'The text has 3 words.',
    });
  });

  it.each([
    [
      'another call',
      '- tool: count_words\n        arguments: { text: other }',
      'it did not call count_words with {"text":"other"}',
    ],
    [
      'calls in another order',
      '- tool: count_words\n      - tool: count_words',
      'it did not call count_words with {}',
    ],
  ])('ends with 1 for %s', async (_what, expected, problem) => {
    const model = await scriptedModel([counting]);
    const { exitStatus, out } = await evaluate(
      model,
      `questions:\n  - ask: How many?\n    expect:\n      ${expected}\n`,
    );
    expect(exitStatus).toBe(1);
    expect(out).toContain(`FAIL How many?\n     ${problem}\n0 of 1 as expected\n`);
  });

  it('ends with 1 when a tool is called that must not be', async () => {
    const model = await scriptedModel([counting]);
    const { exitStatus, out } = await evaluate(
      model,
      'questions:\n  - ask: Hello\n    never: [count_words]\n',
    );
    expect(exitStatus).toBe(1);
    expect(out).toContain('it called count_words, which it must not');
  });

  it('tells a model what is wrong with its arguments, and goes on', async () => {
    const model = await scriptedModel([{ name: 'count_words', arguments: '{"txt":1}' }, counting]);
    const { exitStatus } = await evaluate(
      model,
      'questions:\n  - ask: How many?\n    expect: [{ tool: count_words, arguments: { text: a b c } }]\n',
    );
    expect(exitStatus).toBe(0);
    expect(model.asked[1]?.body.messages.at(-1)?.content).toContain('Invalid arguments for count_words');
  });

  it('runs nothing that changes something, unless it is told to', { timeout: 60_000 }, async () => {
    const model = await scriptedModel([{ name: 'count.words', arguments: '{"text":"a"}' }]);
    const directory = await temporaryFolder();
    await writeFile(
      join(directory, 'q.json'),
      '{"questions":[{"ask":"Go","expect":[{"tool":"count.words"}]}]}',
    );
    const args = ['eval', 'q.json', '--model-url', model.url, '--model', 'scripted'];
    const lastAnswer = () => model.asked.at(-1)?.body.messages.at(-1)?.content;

    expect((await runTools([...args, ...texts('poor')], { directory })).exitStatus).toBe(0);
    expect(lastAnswer()).toContain('it was not run');
    await runTools([...args, '--run-writes', ...texts('poor')], { directory });
    expect(lastAnswer()).toBe('No.');
  });

  it.each(['http://models.example.com/v1', 'ftp://127.0.0.1/', 'models'])(
    'sends no key to %s',
    async (url) => {
      const { exitStatus, err } = await evaluate({ url }, 'questions:\n  - ask: Hello?\n');
      expect(exitStatus).toBe(2);
      expect(err).toMatch(/--key-file needs an https|--model-url must be an http/u);
    },
  );

  it('says when the endpoint or the file is of no use, and never the key', async () => {
    const broken = await evaluate(await scriptedModel([], 500), 'questions:\n  - ask: Hello\n');
    expect(broken).toMatchObject({ exitStatus: 1, err: expect.stringContaining('the status 500') });
    const typo = await evaluate(await scriptedModel([]), 'questions:\n  - aks: Hello\n');
    expect(typo).toMatchObject({ exitStatus: 1, err: expect.stringContaining('not of the form') });
    expect(`${broken.err}${typo.err}`).not.toContain('planted-key');
  });
});
