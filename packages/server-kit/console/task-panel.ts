import type { ConsoleState, ConsoleTask } from '../src/console/console-state.ts';
import { badge, element, show, table } from './dom.ts';
import { duration, number } from './format.ts';
import type { View } from './panels.ts';

export function showTasks({ state, scrape }: View): void {
  const count = (name: string) => scrape.value('mcp_tasks', { state: name });
  const age = (text: string, value: number | undefined) =>
    value === undefined || value === 0
      ? []
      : [element('span', { class: 'fact' }, `${text} ${duration(value)}`)];
  const [queued, running, waiting] = [count('queued'), count('running'), count('input_required')];
  show(
    'tasks-now',
    ...(queued === undefined || running === undefined || waiting === undefined
      ? []
      : [
          badge(`${number(queued)} queued`, 'quiet'),
          badge(`${number(running)} running`, running > 0 ? 'good' : 'quiet'),
          badge(`${number(waiting)} waiting for an answer`, waiting > 0 ? 'warn' : 'quiet'),
          ...age('first in the queue for', scrape.value('mcp_task_queue_age_seconds')),
          ...age('longest silence', scrape.value('mcp_task_silence_seconds')),
        ]),
  );
  const columns = [
    { title: 'Tool' },
    { title: 'State' },
    ...['Run', 'Age', 'Last sign', 'Done'].map((title) => ({ title, isNumber: true })),
    { title: 'Progress' },
  ];
  const tasks = typeof state.tasks === 'object' ? state.tasks : [];
  show('tasks-running', table(columns, tasks.map(taskRow), emptyText(state)));
}

function emptyText({ tasks }: ConsoleState): string {
  if (tasks === undefined) {
    return 'This server has no tasks.';
  }
  return tasks === 'unreadable' ? 'The store of tasks does not answer.' : 'No task is running.';
}

function taskRow(task: ConsoleTask): readonly (string | Node)[] {
  return [
    element('span', { class: 'name' }, task.tool),
    task.state === 'running' ? badge('running', 'good') : badge('waits for an answer', 'warn'),
    String(task.attempt),
    duration(task.ageMs / 1000),
    `${duration(task.silenceMs / 1000)} ago`,
    `${Math.round(task.percent)}%`,
    task.message,
  ];
}
