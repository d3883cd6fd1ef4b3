import { argumentRecorder } from '../arguments/argument-privacy.ts';
import { sealOperation, spanOf, type Operation } from '../call/operation.ts';
import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { zodValue } from '../definition/object-schema.ts';
import { permissionSelector } from '../definition/permission.ts';
import { fitContent, fitData } from '../output/answer-fit.ts';
import type { OutputPlan } from '../output/output-plan.ts';
import { projectionOf } from '../output/projection.ts';
import { contentResponse, dataResponse, type ReadOutput } from '../output/tool-response.ts';
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
    deadlineMs: tool.deadlineMs,
    limit: tool.limit,
    run: (input, context) => tool.handle(input, context),
    answerBytes: tool.answerBytes,
    ...answering(tool, plan),
  });
}

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
