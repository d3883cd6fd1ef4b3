import type { Telemetry } from '@mcp-parts/observability';
import type { TaskFigures, TaskObserver } from '@mcp-parts/tasks';

/** In seconds: from what is over at once to what takes a run's whole hour, and longer. */
const BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400];
/** A scrape does not wait for the store, and not every scrape looks at it. */
const LOOK_INTERVAL_MS = 1_000;

/** What is shown of tasks. */
export interface TaskMetrics {
  /** For the engine of this process: it counts what that does. */
  readonly observer: TaskObserver;
  /** Shows how the tasks in the store stand, whichever process has them, from what the last scrape found. */
  readonly observe: (figures: () => Promise<TaskFigures>) => void;
}

/** Labels are the names of tools and a few fixed words. */
export function measureTasks({
  meter,
  observeGauge,
  observeCounter,
}: Pick<Telemetry, 'meter' | 'observeGauge' | 'observeCounter'>): TaskMetrics {
  const duration = meter.createHistogram('mcp.task.duration', {
    description: 'Time from the call that started a task to its end, by how it ended.',
    unit: 's',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  const interruptions = { crashed: 0, handed_back: 0 };

  return {
    observer: {
      ended: ({ kind, state, durationMs }) =>
        duration.record(durationMs / 1_000, { 'gen_ai.tool.name': kind, state }),
      interrupted: ({ how }) => void (interruptions[how] += 1),
    },
    observe(figures) {
      const look = lookBeside(figures);
      observeGauge(
        'mcp.tasks',
        'Tasks in the store, of all processes that share it, by what they wait for.',
        () => {
          const found = look();
          return found === undefined
            ? []
            : [
                { value: found.queued, labels: { state: 'queued' } },
                { value: found.running, labels: { state: 'running' } },
                { value: found.inputRequired, labels: { state: 'input_required' } },
              ];
        },
      );
      const seconds = (value: (found: TaskFigures) => number) => () => {
        const found = look();
        return found === undefined ? [] : value(found) / 1_000;
      };
      observeGauge(
        'mcp.task.queue.age',
        'Time for which the first of the waiting tasks has waited.',
        seconds(({ queueAgeMs }) => queueAgeMs),
        's',
      );
      observeGauge(
        'mcp.task.silence',
        'Time for which a running task, the most silent one, has neither changed nor reported.',
        seconds(({ silenceMs }) => silenceMs),
        's',
      );
      observeCounter(
        'mcp.task.interruptions',
        'Runs without an outcome that this process saw: of a process that died, or handed back by this one.',
        () => [
          { value: interruptions.crashed, labels: { how: 'crashed' } },
          { value: interruptions.handed_back, labels: { how: 'handed_back' } },
        ],
      );
    },
  };
}

/** What the last look found; asking starts another. A store that does not answer is shown as nothing. */
function lookBeside(figures: () => Promise<TaskFigures>): () => TaskFigures | undefined {
  let found: TaskFigures | undefined;
  let lookedAt = -Infinity;
  const look = async () => {
    try {
      found = await figures();
    } catch {
      // The engine's own log says that its store is out of reach.
      found = undefined;
    }
  };
  return () => {
    if (performance.now() - lookedAt >= LOOK_INTERVAL_MS) {
      lookedAt = performance.now();
      void look();
    }
    return found;
  };
}
