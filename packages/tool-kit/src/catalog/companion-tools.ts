import { z } from 'zod';

import type { Operation } from '../call/operation.ts';
import { defineTool, type ContentToolDefinition, type ToolDefinition } from '../definition/define-tool.ts';
import type { CompanionTool, LongRunning } from '../definition/long-running.ts';
import { heldPermission } from '../definition/permission.ts';
import { PublicError } from '../errors.ts';
import { outputPlan } from '../output/output-plan.ts';
import type { Caller, Task, TaskRunner } from '../ports.ts';
import { companionNames } from '../tasks/companion-names.ts';
import { resultOfTask } from '../tasks/task-result.ts';
import { shownMessage, shownState } from '../tasks/task-view.ts';
import { toolOperation } from './operations/tool-operation.ts';
import { jsonSchema } from './schema/json-schema.ts';

/** A tool that is made here, and how it is called. */
export interface Companion {
  readonly definition: ToolDefinition | ContentToolDefinition;
  readonly call: Operation;
}

/** The tools with which a client that knows no tasks follows and stops those of a long-running tool. */
export function companionTools(
  tool: ToolDefinition | ContentToolDefinition,
  plan: LongRunning<never>,
  pollIntervalMs: number,
): readonly Companion[] {
  const names = companionNames(tool.name, plan);
  const what = tool.title ?? tool.name;
  const taskId = z
    .string('must be a taskId that this server gave')
    // What a list would say of it changes nothing that a model does.
    .refine((id) => /^[\w-]{1,100}$/u.test(id), 'must be a taskId that this server gave')
    .describe(`The taskId from ${tool.name}.`);
  const pause = Math.ceil(pollIntervalMs / 1_000);
  const audit = ({ taskId }: { readonly taskId: string }) => ({ arguments: { taskId } });
  const found = (task: Task | undefined): Task => {
    if (task?.kind !== tool.name) {
      throw new PublicError(
        'unknown_task',
        `There is no task with this taskId that you started. Use the taskId that ${tool.name} returned; do not start another to get one.`,
      );
    }
    return task;
  };

  const status = defineTool({
    ...shared(tool, names.statusTool, plan.statusTool, `Follow: ${what}`),
    description:
      plan.statusTool?.description ??
      `Shows state, progress and result of a task that you started with ${tool.name}, and what to do next.`,
    input: z.strictObject({ taskId }),
    output: z.object({
      what: z.string(),
      state: z.enum(['queued', 'running', 'input_required', 'completed', 'failed', 'cancelled']),
      percent: z.number(),
      message: z.string(),
      errorCode: z.string().optional(),
      nextStep: z.string(),
    }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
    audit,
    handle: notCalled,
    text: ({ what, state, percent, message }) => `${what}: ${state}, ${percent} %. ${message}`,
  });
  const cancel = defineTool({
    ...shared(tool, names.cancelTool, plan.cancelTool, `Cancel: ${what}`),
    description:
      plan.cancelTool?.description ??
      `Stops a task that you started with ${tool.name}. What it has done already may stay; follow it with ${names.statusTool} to its end.`,
    input: z.strictObject({
      taskId,
      reason: z.string().max(200).optional().describe('Why, in at most 200 characters.'),
    }),
    output: z.object({ taskId: z.string(), state: z.string(), nextStep: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    audit,
    handle: notCalled,
    text: ({ taskId, state }) => `Task ${taskId} is ${state}.`,
  });

  return [
    companion(status, async ({ taskId }: { readonly taskId: string }, caller, tasks) => {
      const task = found(await tasks.get(taskId, caller.id));
      const state = shownState(task);
      const result = resultOfTask(task);
      return {
        what: task.label ?? tool.name,
        state,
        percent: Math.round(task.progress.percent),
        message: shownMessage(task),
        errorCode: state === 'failed' ? (task.error?.code ?? result?.outcome.reason) : undefined,
        nextStep: nextStepOf(task, state, pause),
      };
    }),
    companion(
      cancel,
      async (
        { taskId, reason }: { readonly taskId: string; readonly reason?: string | undefined },
        caller,
        tasks,
      ) => {
        found(await tasks.get(taskId, caller.id));
        const task = found(await tasks.cancel(taskId, caller.id, { reason }));
        const state = shownState(task);
        const isOver = state === 'completed' || state === 'failed' || state === 'cancelled';
        return {
          taskId,
          state: isOver ? state : 'being cancelled',
          nextStep: isOver
            ? 'Tell the person how it ended.'
            : `Call ${names.statusTool} with this taskId in ${pause} s, to see how it ended.`,
        };
      },
    ),
  ];
}

function shared(
  tool: ToolDefinition | ContentToolDefinition,
  name: string,
  companion: CompanionTool | undefined,
  title: string,
) {
  return {
    name,
    title: companion?.title ?? title,
    toolset: tool.toolset,
    permission: companion?.permission ?? tool.permission,
  };
}

/** Companions are called with the tasks, which no definition sees. */
function notCalled(): never {
  throw new TypeError('a companion tool has no handler of its own');
}

function companion(
  definition: unknown,
  run: (input: never, caller: Caller, tasks: TaskRunner) => Promise<unknown>,
): Companion {
  // A list holds tools of different inputs, and what each parses goes to its own functions only.
  const tool = definition as ToolDefinition;
  const { permission } = tool;
  const call = toolOperation(tool, outputPlan(jsonSchema(tool, 'output'), false));
  return {
    definition: tool,
    call: {
      ...call,
      permissionOf: (_input, caller) => heldPermission(permission, caller),
      run(input, { caller }, _request, { tasks }) {
        if (tasks === undefined) {
          throw new TypeError('tasks must be a task runner, got undefined');
        }
        return run(input as never, caller, tasks) as Promise<typeof input>;
      },
    },
  };
}

function nextStepOf({ questions }: Task, state: Task['state'], pause: number): string {
  switch (state) {
    case 'queued':
    case 'running':
      return `Check again in ${pause} s; do not start it again.`;
    case 'input_required':
      return `It waits for an answer that this client cannot give (${Object.keys(questions).join(', ')}). Tell the person; cancel it if nobody can.`;
    case 'completed':
      return 'Tell the person the result.';
    case 'failed':
      return 'Tell the person why. Do not start it again unless the cause is gone and the person asks for it.';
    case 'cancelled':
      return 'Tell the person. Start it again only if they ask for it.';
    default:
      return state satisfies never;
  }
}
