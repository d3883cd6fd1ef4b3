import { createRequire } from 'node:module';

import { expect, it, vi } from 'vitest';

import { openTaskEngine, type TaskLogger } from '../src/index.ts';

// This package does not depend on pino, which stands for a program that hands its logger in.
const requireBeside = createRequire(new URL('../../observability/package.json', import.meta.url));
const pino = requireBeside('pino') as (
  options: object,
  stream: { readonly write: (line: string) => void },
) => TaskLogger;

it('tells a pino logger without any settings why a task failed', async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => void lines.push(line) });
  const run = () => Promise.reject(new Error('the database is gone', { cause: new Error('no route') }));
  await using engine = await openTaskEngine({
    store: ':memory:',
    definitions: [{ kind: 'work', onInterrupted: 'fail', run }],
    logger,
  });
  await engine.start({ kind: 'work', input: {}, ownerId: 'alice' });
  await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 4_000 });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    msg: 'task failed for an internal reason',
    err: {
      type: 'Error',
      message: expect.stringContaining('the database is gone'),
      stack: expect.any(String),
    },
  });
});
