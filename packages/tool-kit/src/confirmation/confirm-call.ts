import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import type { CallContext } from '../definition/call-context.ts';
import type { Confirmation, ConfirmationLevel } from '../definition/confirmation.ts';
import { PublicError } from '../errors.ts';
import { digestOf } from '../exchange/digest.ts';
import { MissingCapability, type Answer, type Question } from '../exchange/question.ts';
import type { Caller } from '../ports.ts';
import { form } from '../questions/form.ts';
import { useApproval, type ApprovableCall, type ApprovalRules } from './approvals.ts';

/** One call that has to be confirmed. */
export interface ConfirmCallOptions extends Pick<ApprovableCall, 'tool' | 'arguments'> {
  /** Who else may approve it; `given`: the call is an approval itself, which takes no other. @default nobody */
  readonly approval: ApprovableCall['approval'] | 'given' | undefined;
  /** What the person has to agree to, as things are now; nothing when there is nothing to agree to. */
  readonly confirmation: () => Promise<Confirmation | undefined> | Confirmation | undefined;
  /** The round of the call, when it is one that the client has made again; 0 for the first. */
  readonly round: number;
}

/** What keeps changing while somebody thinks is no matter for a yes. */
const MAX_ASKED = 2;

/** What holds for all calls. */
interface ConfirmationRules extends ApprovalRules {
  readonly confirmationLevel: (call: { readonly tool: string; readonly caller: Caller }) => ConfirmationLevel;
  /** For how long what the client keeps of a call is good, in milliseconds. */
  readonly answerWithinMs: number;
}

/** Replicas have clocks of their own: a claim outlives the state that it is about. */
const CLAIM_MARGIN_MS = 60_000;

/**
 * Asks the person behind the client, or looks whether a second person has approved it, and returns the id of the
 * confirmation; `undefined` when none was needed.
 *
 * @throws {PublicError} `confirmation_declined`, `confirmation_cancelled`, `confirmation_used`, `confirmation_outdated`,
 *   `client_cannot_be_asked`, `approval_required`, `approval_impossible`: nothing was done.
 */
export async function confirmCall(
  { ask, once, caller }: Pick<CallContext, 'ask' | 'once' | 'caller'>,
  options: ConfirmCallOptions,
  rules: ConfirmationRules,
): Promise<string | undefined> {
  const { tool, confirmation, round } = options;
  const level = rules.confirmationLevel({ tool, caller });
  if (level === 'none') {
    return undefined;
  }
  let current = await confirmation();
  if (current !== undefined && options.approval !== 'given' && takesSecondPerson(current, level)) {
    return useApproval({ ...options, caller, approval: approvalOf(options), confirmation: current }, rules);
  }
  for (let tries = 0; current !== undefined; tries += 1) {
    if (tries >= MAX_ASKED) {
      throw refused(
        tool,
        'confirmation_outdated',
        'what it is about keeps changing',
        'Ask the person whether to try again.',
      );
    }
    const asked = digestOf(current).toString('base64url');
    // The client keeps it, sealed, with its caller, its arguments and its time: all rounds of a call are about one id.
    // oxlint-disable-next-line no-await-in-loop -- The person is asked again only when what was asked has changed.
    const id = await once('mcp-parts/confirmation', () => randomUUID());
    // oxlint-disable-next-line no-await-in-loop -- As above.
    const answers = await ask({ [`confirmation-${asked}`]: questionOf(tool, current, level) });
    agreed(tool, Object.values(answers)[0]);
    // Somebody may have thought about it for long.
    // oxlint-disable-next-line no-await-in-loop -- As above.
    current = await confirmation();
    if (current === undefined || digestOf(current).toString('base64url') === asked) {
      if (round > 0) {
        // oxlint-disable-next-line no-await-in-loop -- It is the last step.
        await useUp(once, id, asked, { ...options, ...rules });
      }
      return id;
    }
  }
  return undefined;
}

function takesSecondPerson({ secondPerson }: Confirmation, level: ConfirmationLevel): boolean {
  return level === 'second_person' || (level === 'as_defined' && secondPerson === true);
}

/** @throws {PublicError} `approval_impossible` for a tool without `approval` */
function approvalOf({ tool, approval }: ConfirmCallOptions): ApprovableCall['approval'] {
  if (approval === undefined || approval === 'given') {
    // The level of a call is the policy's; that this tool has no way to it is seen when it is called.
    throw refused(
      tool,
      'approval_impossible',
      'here it takes a second person, and it has no way to ask one',
      'Do not try again. Tell the person: whoever runs this server has to give the tool an "approval", or ask for another level of confirmation.',
    );
  }
  return approval;
}

/**
 * What a client keeps it can send twice. So the yes is good for one round, and so is each later state that has it: from
 * the yes to the end of the call there is one way, which is gone once.
 */
async function useUp(
  once: CallContext['once'],
  id: string,
  asked: string,
  { tool, confirmations, answerWithinMs, round }: ConfirmCallOptions & ConfirmationRules,
): Promise<void> {
  let isNew = false;
  await once(`mcp-parts/confirmed-${asked}`, () => (isNew = true));
  const use = isNew ? asked : String(round);
  const ttlMs = answerWithinMs + CLAIM_MARGIN_MS;
  if (!(await confirmations.claim(`confirmation:${id}:${use}`, { ttlMs }))) {
    throw refused(
      tool,
      'confirmation_used',
      'this confirmation was used before',
      'See whether the first use has done what the person wants; a new call asks the person again.',
    );
  }
}

function questionOf(
  tool: string,
  { message, typedName }: Confirmation,
  level: ConfirmationLevel,
): Question<{ readonly agrees: boolean }> {
  if (typedName === undefined || level === 'confirm') {
    const yes = z.object({ confirm: z.boolean().meta({ title: 'Yes, do it' }) });
    return agreeing(form(message, yes), ({ confirm }) => confirm);
  }
  const name = z
    .string()
    .max(1_000)
    .meta({ title: `Type the name to confirm ${tool}` });
  const typed = form(`${message}\n\nType "${typedName}" to confirm.`, z.object({ name }));
  return agreeing(typed, ({ name: given }) => given.trim() === typedName);
}

function agreeing<Value>(
  question: Question<Value>,
  agrees: (value: Value) => boolean,
): Question<{ readonly agrees: boolean }> {
  return {
    ...question,
    read(result) {
      const reading = question.read(result);
      return reading.ok && reading.answer.outcome === 'accepted'
        ? { ok: true, answer: { outcome: 'accepted', value: { agrees: agrees(reading.answer.value) } } }
        : (reading as ReturnType<Question<never>['read']>);
    },
  };
}

/** @throws {PublicError} unless the person has said yes. */
function agreed(tool: string, answer: Answer<{ readonly agrees: boolean }> | undefined): void {
  switch (answer?.outcome) {
    case 'accepted':
      if (answer.value.agrees) {
        return;
      }
      break;
    case 'impossible':
      throw new MissingCapability(answer.requiredCapabilities, {
        what: `A person has to confirm ${tool} first`,
        nextStep:
          'No argument can stand for that. Tell the person: it takes a client that shows them forms (the capability "elicitation").',
      });
    case 'cancelled':
    case undefined:
      throw refused(
        tool,
        'confirmation_cancelled',
        'the person has not answered',
        'Ask the person whether to try again.',
      );
    case 'declined':
      break;
    default:
      answer satisfies never;
  }
  throw refused(
    tool,
    'confirmation_declined',
    'the person did not confirm it',
    'Do not try again unless the person asks for it.',
  );
}

function refused(tool: string, code: string, why: string, nextStep: string): PublicError {
  return new PublicError(code, `${tool} was not done: ${why}. ${nextStep}`, { nextStep });
}
