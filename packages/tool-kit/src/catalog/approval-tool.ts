import { z } from 'zod';

import { approvalToolName, decide, requestToApprove, type ApprovalRules } from '../confirmation/approvals.ts';
import type { CallContext } from '../definition/call-context.ts';
import type { Approval } from '../definition/confirmation.ts';
import { defineTool, type ContentToolDefinition, type ToolDefinition } from '../definition/define-tool.ts';
import type { Companion } from './companion-tools.ts';
import { toolOperation } from './operations/tool-operation.ts';

interface Input {
  readonly approvalId: string;
  readonly declineBecause?: string | undefined;
}

/** What the person who asked reads of a no. */
const MAX_REASON_LENGTH = 200;

/** The tool with which a second person approves calls of a tool, once they have read what it is about, or declines them. */
export function approvalTool(tool: ToolDefinition | ContentToolDefinition, plan: Approval): Companion {
  const definition = defineTool({
    name: approvalToolName(tool.name, plan),
    title: plan.title ?? `Approve: ${tool.title ?? tool.name}`,
    toolset: tool.toolset,
    description:
      plan.description ??
      `Approves a call of ${tool.name} that somebody else has made; the person is shown what it does, and asked.`,
    input: z.strictObject({
      approvalId: z
        .string('must be an approvalId that this server gave')
        .refine((id) => /^[\w-]{1,100}$/u.test(id), 'must be an approvalId that this server gave')
        .describe(`From ${tool.name}.`),
      declineBecause: z
        .string()
        // Not as a limit of the schema, which a model pays for in every list.
        .refine((reason) => reason.trim() !== '', 'must say why')
        .optional()
        .describe('Why not.'),
    }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: plan.permission,
    audit: ({ approvalId, declineBecause }) => ({
      arguments: { approvalId, ...(declineBecause !== undefined && { declineBecause }) },
      urgent: true,
    }),
    confirm: () => undefined,
    handle: notCalled,
  }) as unknown as ContentToolDefinition;
  const call = toolOperation(definition, undefined);
  return {
    definition,
    call: {
      ...call,
      async confirm(input, { caller }, { approvals }) {
        const { approvalId, declineBecause } = input as unknown as Input;
        if (declineBecause !== undefined) {
          // A no does nothing.
          return undefined;
        }
        const { callerName, message } = await requestToApprove(approvalId, tool.name, caller, approvals);
        return { message: `${callerName} asks you to approve this:\n\n${message}`, version: approvalId };
      },
      run: (input, context, _request, rules) =>
        decided(input as unknown as Input, context, tool.name, rules) as Promise<unknown> as Promise<
          typeof input
        >,
    },
  };
}

async function decided(
  { approvalId, declineBecause }: Input,
  { caller }: CallContext,
  tool: string,
  rules: Pick<ApprovalRules, 'approvals' | 'approveWithinMs'>,
) {
  const request = await requestToApprove(approvalId, tool, caller, rules.approvals);
  const { isApproved } = await decide(
    request,
    caller,
    declineBecause?.trim().slice(0, MAX_REASON_LENGTH),
    rules,
  );
  return isApproved
    ? `Approved: ${request.message}\nNext: Tell the person: ${request.callerName} can now call ${tool} again with the same arguments.`
    : `Declined: ${request.message}\nNext: Tell the person: ${request.callerName} reads that when they call ${tool} again.`;
}

/** It is called with the store, which no definition sees. */
function notCalled(): never {
  throw new TypeError('an approval tool has no handler of its own');
}
