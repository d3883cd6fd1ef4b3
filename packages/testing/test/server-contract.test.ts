import {
  connect,
  recordingAudit,
  serverContract,
  testCaller,
  type ServerCase,
  type ServerFixture,
} from '@mcp-parts/testing';
import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const SECRET = 'a-secret-of-tests';

/** What is wrong with a server on purpose. */
interface Faults {
  readonly greeting?: string;
  readonly text?: string;
  readonly prints?: boolean;
  readonly ignoresSignal?: boolean;
  readonly input?: z.ZodObject<{ name: z.ZodType }>;
}

function fixtureFor(era: '2025' | '2026', faults: Faults = {}): ServerFixture {
  const { greeting = 'Hello', text, prints = false, ignoresSignal = false } = faults;
  const running = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const annotations = { readOnly: true, destructive: false, idempotent: true, openWorld: false };
  const greet = defineTool({
    name: 'greet',
    description: 'Greets a person.',
    input: faults.input ?? z.strictObject({ name: z.string() }),
    output: z.object({ greeting: z.string() }),
    annotations,
    permission: 'people:greet',
    handle: async ({ name }) => {
      if (prints) {
        process.stdout.write('debug\n');
      }
      return { greeting: `${greeting} ${String(name)}` };
    },
    text: (output) => text ?? output.greeting,
  });
  const wait = defineTool({
    name: 'wait',
    description: 'Waits until it is told to stop.',
    input: z.strictObject({}),
    annotations,
    permission: 'people:greet',
    async handle(_input, { signal }) {
      const stopped = Promise.withResolvers<string>();
      signal.addEventListener('abort', () => {
        if (ignoresSignal) {
          aborted.reject(new Error('not aborted'));
        }
        aborted.resolve();
        stopped.reject(signal.reason as Error);
      });
      running.resolve();
      return stopped.promise;
    },
  });
  const audit = recordingAudit();
  const table = createMethodTable(createCatalog({ tools: [greet, wait] }), { audit });
  const caller = testCaller({ permissions: ['people:greet'] });
  return {
    connect: () => connect(table, { era, caller }),
    good: { name: 'greet', arguments: { name: 'Ada' } },
    bad: { name: 'greet', arguments: { name: 7 } },
    slow: { name: 'wait', running: running.promise, aborted: aborted.promise },
    secrets: [SECRET],
    audit,
  };
}

describe.each(['2025', '2026'] as const)('a good server in %s', (era) => {
  it.each(serverContract)('$name', async ({ run }) => {
    await expect(run(fixtureFor(era))).resolves.toBeUndefined();
  });
});

describe('a server with a fault', () => {
  it.each<[what: string, faults: Faults, broken: RegExp, finding: string]>([
    [
      'whose text says less',
      { text: 'Done.' },
      /says all of an answer/u,
      'what is structured is in the text too',
    ],
    ['that shows a secret', { greeting: SECRET }, /shows no secret/u, '1 secrets are shown'],
    ['that prints', { prints: true }, /standard output/u, 'standard output stays empty'],
    [
      'that takes anything',
      { input: z.strictObject({ name: z.any() }) },
      /wrong arguments/u,
      'the call is refused',
    ],
    ['whose handler goes on', { ignoresSignal: true }, /stops the handler/u, 'not aborted'],
  ])('%s breaks that promise', async (_what, faults, broken, finding) => {
    const found: ServerCase | undefined = serverContract.find(({ name }) => broken.test(name));
    await expect(found?.run(fixtureFor('2026', faults))).rejects.toThrow(finding);
  });
});
