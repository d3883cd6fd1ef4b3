import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import type { Approval, Confirmation } from '../definition/confirmation.ts';
import { PublicError } from '../errors.ts';
import { digestOf } from '../exchange/digest.ts';
import type { ApprovalStore, Caller, ConfirmationClaims } from '../ports.ts';

/** A call that takes a second person. */
export interface ApprovableCall {
  readonly caller: Caller;
  readonly tool: string;
  /** As sent. */
  readonly arguments: unknown;
  /** Who may approve it, and with which tool. */
  readonly approval: Pick<Approval, 'permission'> & { readonly tool: string };
  readonly confirmation: Confirmation;
}

/** What holds for all of them. */
export interface ApprovalRules {
  readonly approvals: ApprovalStore;
  readonly confirmations: ConfirmationClaims;
  /** In milliseconds. */
  readonly approveWithinMs: number;
}

const requestSchema = z.object({
  id: z.string(),
  tool: z.string(),
  callerId: z.string(),
  /** As people know them. */
  callerName: z.string(),
  message: z.string(),
});

/** What somebody wants to do, and waits for a second person to approve. */
export type ApprovalRequest = z.output<typeof requestSchema>;

const waitingSchema = z.object({ id: z.string() });

/** What somebody has made of a request. Whoever decides first has decided. */
const decisionSchema = z.object({
  id: z.string(),
  by: z.string(),
  /** As people know them. */
  byName: z.string(),
  /** Why not. @default it is approved */
  declined: z.string().optional(),
});

/** The most that a store lists. */
const MAX_LOOKED_AT = 1_000;

/** Replicas have clocks of their own: a claim outlives what it is about. */
const CLAIM_MARGIN_MS = 60_000;

/** The name of the tool with which calls of a tool are approved. */
export function approvalToolName(tool: string, { name }: Approval): string {
  return name ?? `${tool}_approve`;
}

/**
 * The id of the approval of a call by a second person, which is used up with that. An approval is of one caller, one set
 * of arguments and what the confirmation says, its version included.
 *
 * @throws {PublicError} `approval_required`: it is not approved yet; `approval_declined`: somebody has said no;
 * `confirmation_used`: another call has used it.
 */
export async function useApproval(call: ApprovableCall, rules: ApprovalRules): Promise<string> {
  const { approvals, confirmations, approveWithinMs } = rules;
  const waiting = waitingKey(call);
  const { id } = await requestOf(call, waiting, rules);
  const found = await approvals.get(decisionKey(id));
  if (found === undefined) {
    throw required(id, call, approveWithinMs);
  }
  const { byName, declined } = decisionSchema.parse(found);
  if (declined !== undefined) {
    // Whoever asks once more asks anew.
    await approvals.forget(waiting);
    throw refused(
      'approval_declined',
      `${call.tool} was not done: ${byName} has declined it: "${declined}"`,
      'Do not try again unless the person asks for it; a new call asks for a new approval.',
    );
  }
  const isFirst = await confirmations.claim(`approval:${id}`, { ttlMs: approveWithinMs + CLAIM_MARGIN_MS });
  // The next call of this kind is a new one, and waits for an approval of its own.
  await approvals.forget(waiting);
  if (!isFirst) {
    throw new PublicError(
      'confirmation_used',
      `${call.tool} was not done: this approval was used before. ${AFTER_USE}`,
      { nextStep: AFTER_USE },
    );
  }
  return id;
}

const AFTER_USE =
  'See whether the first use has done what the person wants; a new call asks for a new approval.';

/** The request that waits for this call, or a new one. */
async function requestOf(
  { caller, tool, confirmation }: ApprovableCall,
  waiting: string,
  { approvals, approveWithinMs: ttlMs }: ApprovalRules,
): Promise<{ readonly id: string }> {
  const known = await approvals.get(waiting);
  if (known !== undefined) {
    return waitingSchema.parse(known);
  }
  const request: ApprovalRequest = {
    id: randomUUID(),
    tool,
    callerId: caller.id,
    callerName: nameOf(caller),
    message: confirmation.message,
  };
  // Before anybody can be told of it, it can be read.
  const ofCaller = { ttlMs, owner: caller.id };
  await approvals.keep(requestKey(request.id), request, { ...ofCaller, list: `requests:${tool}` });
  const kept = waitingSchema.parse(await approvals.keep(waiting, { id: request.id }, ofCaller));
  if (kept.id !== request.id) {
    await approvals.forget(requestKey(request.id));
  }
  return kept;
}

/**
 * The request with this id, for a caller who may approve it.
 *
 * @throws {PublicError} `unknown_approval`, `own_request`, `not_a_person`
 */
export async function requestToApprove(
  id: string,
  tool: string,
  caller: Caller,
  approvals: ApprovalStore,
): Promise<ApprovalRequest> {
  const found = await approvals.get(requestKey(id));
  const request = found && requestSchema.parse(found);
  if (request?.tool !== tool) {
    throw refused(
      'unknown_approval',
      `There is no such request for ${tool}, or its time is over.`,
      `Tell the person: whoever asked for it has to call ${tool} again, which gives a new approvalId.`,
    );
  }
  if (request.callerId === caller.id) {
    throw refused(
      'own_request',
      'Nothing was approved: who asks for it cannot approve it; somebody else has to approve it.',
      'Tell the person to ask somebody else who may.',
    );
  }
  if (caller.kind === 'service') {
    throw refused(
      'not_a_person',
      'Nothing was approved: only a person can approve it.',
      'Ask a person who may to do it with their own account.',
    );
  }
  return request;
}

/** The calls of a tool that wait for somebody else than their callers, and so may wait for this one; the newest first. */
export async function requestsFor(
  caller: Caller,
  tool: string,
  approvals: ApprovalStore,
): Promise<readonly ApprovalRequest[]> {
  const asked = await approvals.listed(`requests:${tool}`, MAX_LOOKED_AT);
  // Who has decided since has decided about what was asked before.
  const decided = await approvals.listed(`decisions:${tool}`, MAX_LOOKED_AT);
  const ids = new Set(decided.map((decision) => decisionSchema.parse(decision).id));
  return asked
    .map((request) => requestSchema.parse(request))
    .filter(({ id, callerId }) => callerId !== caller.id && !ids.has(id));
}

/**
 * Notes what a person has decided. @returns what holds
 *
 * @throws {PublicError} `already_decided`: somebody else has, otherwise
 */
export async function decide(
  { id, tool }: ApprovalRequest,
  caller: Caller,
  declined: string | undefined,
  { approvals, approveWithinMs: ttlMs }: Pick<ApprovalRules, 'approvals' | 'approveWithinMs'>,
): Promise<{ readonly isApproved: boolean }> {
  const decision = { id, by: caller.id, byName: nameOf(caller), ...(declined !== undefined && { declined }) };
  const list = `decisions:${tool}`;
  const kept = await approvals.keep(decisionKey(id), decision, { ttlMs, owner: caller.id, list });
  const holds = decisionSchema.parse(kept);
  const isApproved = holds.declined === undefined;
  if (isApproved !== (declined === undefined)) {
    throw refused(
      'already_decided',
      `Nothing was changed: ${holds.byName} has ${isApproved ? 'approved' : 'declined'} it already.`,
      'Tell the person so.',
    );
  }
  return { isApproved };
}

function required(id: string, { tool, approval }: ApprovableCall, approveWithinMs: number): PublicError {
  const minutes = Math.max(1, Math.round(approveWithinMs / 60_000));
  const nextStep = `Tell the person: within ${minutes} min, somebody else with the permission "${approval.permission}" has to call ${approval.tool} with approvalId ${id}. Then call ${tool} again with the same arguments.`;
  return refused(
    'approval_required',
    `${tool} was not done yet: a second person has to approve it.`,
    nextStep,
  );
}

function refused(code: string, why: string, nextStep: string): PublicError {
  return new PublicError(code, `${why} ${nextStep}`, { nextStep });
}

function nameOf({ id, displayName, email }: Caller): string {
  const name = displayName ?? email;
  // The subject, as the issuer is the same for all who meet here.
  return name ?? id.slice(id.lastIndexOf('#') + 1);
}

function waitingKey({ caller, tool, arguments: sent, confirmation }: ApprovableCall): string {
  const what = { caller: caller.id, tool, arguments: sent ?? {}, confirmation };
  return `waiting:${digestOf(what).toString('base64url')}`;
}

function requestKey(id: string): string {
  return `request:${id}`;
}

function decisionKey(id: string): string {
  return `decision:${id}`;
}
