import { z } from 'zod';

import {
  approvalToolName,
  decide,
  requestsFor,
  requestToApprove,
  type ApprovalRequest,
  type ApprovalRules,
} from '../confirmation/approvals.ts';
import type { CallContext } from '../definition/call-context.ts';
import type { Approval } from '../definition/confirmation.ts';
import { defineTool, type ContentToolDefinition, type ToolDefinition } from '../definition/define-tool.ts';
import { foreignText, quoted } from '../definition/words/foreign-text.ts';
import type { Companion } from './companion-tools.ts';
import { toolOperation } from './operations/tool-operation.ts';

interface Input {
  /** @default what waits is listed */
  readonly approvalId?: string | undefined;
  readonly declineBecause?: string | undefined;
}

/** What the person who asked reads of a no. */
const MAX_REASON_LENGTH = 200;

/** A person reads them, one after the other. */
const MAX_LISTED = 20;

/** What somebody wants to do, and their name, on one line each. */
const NAME = foreignText(100);
const MESSAGE = foreignText(300);

/**
 * The tool with which a second person sees which calls of a tool wait for somebody, and approves them, once they have read
 * what they are about, or declines them.
 */
export function approvalTool(tool: ToolDefinition | ContentToolDefinition, plan: Approval): Companion {
  const names = { tool: tool.name, approvalTool: approvalToolName(tool.name, plan) };
  const definition = defineTool({
    name: names.approvalTool,
    title: plan.title ?? `Approve: ${tool.title ?? tool.name}`,
    toolset: tool.toolset,
    description:
      plan.description ??
      `Approves a call of ${tool.name} that somebody else has made, once the person was shown it and agrees; declines it with declineBecause; without an approvalId, lists what waits.`,
    input: z.strictObject({
      approvalId: z
        .string('must be an approvalId that this server gave')
        .refine((id) => /^[\w-]{1,100}$/u.test(id), 'must be an approvalId that this server gave')
        .optional()
        .describe(`From ${tool.name}; else lists all.`),
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
      arguments: {
        ...(approvalId !== undefined && { approvalId }),
        ...(declineBecause !== undefined && { declineBecause }),
      },
      urgent: approvalId !== undefined,
    }),
    confirm: () => undefined,
    handle: notCalled,
  }) as unknown as ContentToolDefinition;
  const call = toolOperation(definition, undefined);
  return {
    definition,
    call: {
      ...call,
      approval: 'given',
      async confirm(input, { caller }, { approvals }) {
        const { approvalId, declineBecause } = input as unknown as Input;
        if (approvalId === undefined || declineBecause !== undefined) {
          // A list and a no do nothing.
          return undefined;
        }
        const { callerName, message } = await requestToApprove(approvalId, tool.name, caller, approvals);
        return { message: `${callerName} asks you to approve this:\n\n${message}`, version: approvalId };
      },
      run: (input, context, _request, rules) =>
        answered(input as unknown as Input, context, names, rules) as Promise<unknown> as Promise<
          typeof input
        >,
    },
  };
}

interface Names {
  readonly tool: string;
  /** The tool that is made here. */
  readonly approvalTool: string;
}

async function answered(
  { approvalId, declineBecause }: Input,
  { caller }: CallContext,
  names: Names,
  rules: Pick<ApprovalRules, 'approvals' | 'approveWithinMs'>,
) {
  if (approvalId === undefined && declineBecause === undefined) {
    return listText(await requestsFor(caller, names.tool, rules.approvals), names);
  }
  const { tool } = names;
  const request = await requestToApprove(approvalId ?? '', tool, caller, rules.approvals);
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

function listText(requests: readonly ApprovalRequest[], { tool, approvalTool: ownName }: Names): string {
  const [first, ...more] = requests;
  if (first === undefined) {
    return `No call of ${tool} waits for this person.`;
  }
  const waiting =
    more.length === 0
      ? `1 call of ${tool} waits for this person:`
      : `${requests.length} calls of ${tool} wait for this person, the newest ${requests.length > MAX_LISTED ? `${MAX_LISTED} ` : ''}first:`;
  return [
    waiting,
    ...requests
      .slice(0, MAX_LISTED)
      .map(
        ({ id, callerName, message }) =>
          `- ${id}, asked by ${quoted(NAME.parse(callerName))}: ${quoted(MESSAGE.parse(message))}`,
      ),
    `Next: Show them to the person. Call ${ownName} with the approvalId that they choose.`,
  ].join('\n');
}

/** It is called with the store, which no definition sees. */
function notCalled(): never {
  throw new TypeError('an approval tool has no handler of its own');
}
