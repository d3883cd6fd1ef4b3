import { argumentRecorder } from '../../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type LongRunningPlan, type Operation } from '../../call/operation.ts';
import { checkWhole, MAX_TIMER_MS } from '../../check-number.ts';
import { approvalToolName } from '../../confirmation/approvals.ts';
import type { ContentToolDefinition, ToolDefinition } from '../../definition/define-tool.ts';
import type { LongRunning } from '../../definition/long-running.ts';
import { permissionSelector } from '../../definition/permission.ts';
import { zodValue } from '../../definition/schema/object-schema.ts';
import { fitContent, fitData } from '../../output/answer-fit.ts';
import type { OutputPlan } from '../../output/output-plan.ts';
import { projectionOf } from '../../output/projection.ts';
import { contentResponse, dataResponse, type ReadOutput } from '../../output/tool-response.ts';
import { companionNames } from '../../tasks/companion-names.ts';
import { startTask, taskRefusal } from '../../tasks/start-task.ts';
import { parserOf } from './parser.ts';

/** `tools/call` on one tool; the plan is that of its output, when it has one. */
export function toolOperation(
  tool: ToolDefinition | ContentToolDefinition,
  plan: OutputPlan | undefined,
): Operation {
  const schema = zodValue(tool.input);
  const record = argumentRecorder(schema);
  return sealOperation<Record<string, unknown>, unknown>({
    name: tool.name,
    span: spanOf('tools/call', tool.name),
    permission: tool.permission,
    permissionOf: permissionSelector(tool.permission),
    parse: parserOf(tool.name, schema),
    record: (input, audit) => record(input, tool.audit?.(input) ?? {}, audit),
    readOnly: tool.annotations.readOnly,
    audited: 'always',
    onUnavailable: tool.onUnavailable,
    deadlineMs: tool.longRunning === undefined ? tool.deadlineMs : undefined,
    longRunning: tool.longRunning && planOf(tool, tool.longRunning),
    limit: tool.limit,
    repeatWithinMs: repeatWindowOf(tool),
    confirm: tool.confirm && ((input, context) => tool.confirm?.(input, context)),
    approval: tool.approval && {
      permission: tool.approval.permission,
      tool: approvalToolName(tool.name, tool.approval),
    },
    run: (input, context) => tool.handle(input, context),
    answerBytes: tool.answerBytes,
    ...answering(tool, plan),
  });
}

/** @throws {RangeError | TypeError} naming the tool */
function repeatWindowOf({ name, idempotent, longRunning }: ToolDefinition | ContentToolDefinition) {
  if (idempotent === undefined) {
    return undefined;
  }
  if (longRunning !== undefined) {
    throw new TypeError(`tool "${name}": idempotent is not for long-running tools; give idempotencyKey`);
  }
  checkWhole(`tool "${name}": windowMs`, idempotent.windowMs, 1, MAX_TIMER_MS);
  return idempotent.windowMs;
}

/** Filled in and checked. @throws {RangeError | TypeError} naming the tool */
function planOf(
  tool: ToolDefinition | ContentToolDefinition,
  longRunning: LongRunning<Record<string, unknown>>,
): LongRunningPlan<Record<string, unknown>> {
  const { onInterrupted = 'fail', pollIntervalMs = 5_000, taskSupport = 'optional' } = longRunning;
  checkWhole(`tool "${tool.name}": pollIntervalMs`, pollIntervalMs, 100, MAX_RUN_MS);
  const isTaskRequired = taskSupport === 'required';
  if (isTaskRequired && (longRunning.statusTool !== undefined || longRunning.cancelTool !== undefined)) {
    throw new TypeError(`tool "${tool.name}": no companion tools are made where taskSupport is required`);
  }
  return {
    onInterrupted,
    pollIntervalMs,
    runMs: tool.deadlineMs ?? MAX_RUN_MS,
    label: (input) => longRunning.title?.(input) ?? tool.title ?? tool.name,
    idempotencyKey: (input) => longRunning.idempotencyKey?.(input),
    isTaskRequired,
    prepare:
      longRunning.prepare && (async (input, context) => (await longRunning.prepare?.(input, context)) ?? {}),
    refusal: (call, request) => (isTaskRequired ? taskRefusal(call, request) : undefined),
    start: startTask,
    ...companionNames(tool.name, longRunning),
  };
}

/** An hour: the default maximum of a run, and of what a client may be told to wait between two looks. */
const MAX_RUN_MS = 3_600_000;

function answering(tool: ToolDefinition | ContentToolDefinition, plan: OutputPlan | undefined) {
  if (tool.output === undefined || plan === undefined) {
    return { respond: contentResponse, fit: fitContent(tool as ContentToolDefinition) };
  }
  const schema = zodValue(tool.output);
  const project = projectionOf(plan.schema);
  // Whatever a schema lets through is an object, or is wrapped into one where it must be.
  const read = (
    project === undefined
      ? (returned) => schema.parse(returned)
      : (returned) => project(schema.parse(returned))
  ) as ReadOutput;
  return {
    respond: dataResponse(tool, read, plan.isWrapped),
    // What is no object has no member to say in what was left out.
    fit: plan.isWrapped ? undefined : fitData(tool, read, plan.schema, plan.addsNextStep),
  };
}
