import { createTelemetry } from '@mcp-parts/observability';
import { openTaskEngine } from '@mcp-parts/tasks';
import { expect, it, vi } from 'vitest';

import { measureTasks } from './task-metrics.ts';

it('shows how tasks stand, how long they took and what interrupted them', async () => {
  await using telemetry = createTelemetry({ serviceName: 'test', serviceVersion: '1' });
  const metrics = measureTasks(telemetry);
  const finish = Promise.withResolvers<void>();
  let at = 1_000_000;
  await using engine = await openTaskEngine({
    store: ':memory:',
    observer: metrics.observer,
    maxRunningPerOwner: 1,
    now: () => at,
    definitions: [
      {
        kind: 'bake',
        async run(_input, { ask }) {
          await finish.promise;
          return ask('sugar', {});
        },
      },
    ],
  });
  metrics.observe(engine.figures);
  const lines = async () => (await telemetry.prometheus()).split('\n');
  const shown = (expected: readonly string[]) =>
    vi.waitFor(async () => expect(await lines()).toEqual(expect.arrayContaining([...expected])), {
      timeout: 10_000,
      interval: 100,
    });

  const { id } = await engine.start({ kind: 'bake', input: {}, ownerId: 'alice' });
  const waiting = await engine.start({ kind: 'bake', input: {}, ownerId: 'alice' });
  await vi.waitFor(async () => expect(await engine.get(id, 'alice')).toMatchObject({ state: 'running' }));
  at += 90_000;
  await shown([
    'mcp_tasks{state="queued"} 1',
    'mcp_tasks{state="running"} 1',
    'mcp_tasks{state="input_required"} 0',
    'mcp_task_queue_age_seconds 90',
    'mcp_task_silence_seconds 90',
    'mcp_task_interruptions_total{how="crashed"} 0',
    'mcp_task_interruptions_total{how="handed_back"} 0',
  ]);

  await engine.cancel(waiting.id, 'alice');
  finish.resolve();
  // Whoever waits for a person is not stuck.
  await shown(['mcp_tasks{state="input_required"} 1', 'mcp_task_silence_seconds 0']);
  await engine.answer(id, 'alice', { sugar: {} });
  await shown([
    'mcp_tasks{state="running"} 0',
    'mcp_task_queue_age_seconds 0',
    'mcp_task_duration_seconds_count{gen_ai_tool_name="bake",state="cancelled"} 1',
    'mcp_task_duration_seconds_sum{gen_ai_tool_name="bake",state="completed"} 90',
  ]);
});

it('counts runs that a stop hands back', async () => {
  await using telemetry = createTelemetry({ serviceName: 'test', serviceVersion: '1' });
  const metrics = measureTasks(telemetry);
  const running = Promise.withResolvers<void>();
  const engine = await openTaskEngine({
    store: ':memory:',
    observer: metrics.observer,
    definitions: [
      {
        kind: 'bake',
        onInterrupted: 'resume',
        run: (_input, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
            running.resolve();
          }),
      },
    ],
  });
  metrics.observe(engine.figures);
  await engine.start({ kind: 'bake', input: {}, ownerId: 'alice' });
  await running.promise;
  await engine.close();
  const text = await telemetry.prometheus();
  expect(text).toContain('mcp_task_interruptions_total{how="handed_back"} 1\n');
  // Handed back, it has not ended.
  expect(text).not.toContain('mcp_task_duration_seconds_count');
});
