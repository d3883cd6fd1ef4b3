import { expect, it, vi } from 'vitest';

import { openTaskEngine } from './task-engine.ts';

it('shows the running tasks of all owners without saying whose they are, those that wait last', async () => {
  let at = 1_000_000;
  await using engine = await openTaskEngine({
    store: ':memory:',
    now: () => at,
    definitions: [
      { kind: 'ask', run: (_input, { ask }) => ask('sugar', { secret: 'question' }) },
      {
        kind: 'bake',
        run(_input, { progress, signal }) {
          progress({ percent: 40, message: 'In the oven.' });
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          });
        },
      },
    ],
  });
  const start = async (kind: string, ownerId: string, state: string) => {
    const { id } = await engine.start({ kind, ownerId, input: { secret: 'input' }, label: 'secret label' });
    await vi.waitFor(async () => expect(await engine.get(id, ownerId)).toMatchObject({ state }));
  };
  const message = async () => (await engine.running()).map(({ progress }) => progress.message);
  await start('ask', 'alice', 'input_required');
  at += 10_000;
  await start('bake', 'bob', 'running');
  await vi.waitFor(async () => expect(await message()).toContain('In the oven.'));
  at += 30_000;
  await start('bake', 'alice', 'running');
  await vi.waitFor(async () => expect(await message()).toEqual(['In the oven.', 'In the oven.', '']));
  at += 5_000;

  const progress = { percent: 40, message: 'In the oven.' };
  const nothing = { percent: 0, message: '' };
  const working = { kind: 'bake', state: 'running', attempt: 1, progress };
  expect(await engine.running()).toEqual([
    { ...working, ageMs: 35_000, silenceMs: 35_000 },
    { ...working, ageMs: 5_000, silenceMs: 5_000 },
    { kind: 'ask', state: 'input_required', attempt: 1, progress: nothing, ageMs: 45_000, silenceMs: 45_000 },
  ]);
  expect(await engine.running({ limit: 1 })).toMatchObject([{ kind: 'bake', ageMs: 35_000 }]);
  await engine.close({ deadlineMs: 0 });
});

it.each([0, 1.5, 1_001])('refuses to show %d running tasks', async (limit) => {
  await using engine = await openTaskEngine({ store: ':memory:' });
  await expect(engine.running({ limit })).rejects.toThrow(RangeError);
});
