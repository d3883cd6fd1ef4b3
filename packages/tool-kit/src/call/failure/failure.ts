import type { z } from 'zod';

import type { RpcFault } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Exceeded } from '../../limits/call-limiter.ts';

const CHECK_FIRST = 'It may or may not have taken effect: check before you try again.';

/** Why a call gave no output. */
export type CallFailure = {
  /** For the audit trail, metrics and programs. */
  readonly code: string;
  /** Public: what failed and what to do next. */
  readonly message: string;
  /** The part of the message that says what to do next. @default it does not say so by itself */
  readonly nextStep?: string | undefined;
} & (
  | { readonly kind: 'unknown_target' | 'invalid_input' | 'denied' | 'not_recorded' }
  | {
      readonly kind: 'limited';
      /** When it is worth trying again, in milliseconds from now. */
      readonly retryAfterMs: number;
    }
  | {
      readonly kind: 'interrupted' | 'failed';
      /** Whether a change may have happened all the same. */
      readonly isUncertain: boolean;
      /** What a client must be able to do for the call to go on. */
      readonly requiredCapabilities?: JsonObject | undefined;
      /** The error of the protocol that it is. @default it is a result that a model reads */
      readonly rpcFault?: RpcFault | undefined;
    }
  | {
      /** The work is done, and only its output cannot be told. */
      readonly kind: 'done_untold';
      /** Whether the output reported a failure. */
      readonly isFailure: boolean;
    }
);

/** What failed, and what to do next. */
function said(what: string, nextStep: string): Pick<CallFailure, 'message' | 'nextStep'> {
  return { message: `${what} ${nextStep}`, nextStep };
}

/** A failure on its way out of an operation. */
export class CallFailed extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The same words whether the target does not exist or is hidden from the caller; only the trail is told which. */
export function unknownTarget(method: string, target: string, isHidden: boolean): CallFailure {
  return {
    kind: 'unknown_target',
    code: isHidden ? 'missing_permission' : 'unknown_target',
    message: `Unknown ${nounOf(method)}: ${shorten(target)}`,
  };
}

/** Says which arguments are wrong and how, without repeating the values. */
export function invalidInput(target: string, error: z.ZodError): CallFailure {
  const problems = error.issues.slice(0, 8).map((issue) => {
    const path = issue.path.map(String).join('.');
    // A path and the name of an unrecognized key are the client's own words.
    return shorten(path === '' ? issue.message : `${path}: ${issue.message}`, 400);
  });
  const more = error.issues.length - problems.length;
  if (more > 0) {
    problems.push(`and ${more} more`);
  }
  return {
    kind: 'invalid_input',
    code: 'invalid_input',
    ...said(`Invalid arguments for ${target}. ${problems.join('; ')}.`, 'Correct them and try again.'),
  };
}

/** Says what is wrong with the request around the arguments. */
export function malformed(problem: string): CallFailure {
  return { kind: 'invalid_input', code: 'malformed_request', message: problem };
}

/** A cursor that none of our lists has given out, or whose place in the list is gone. */
export function invalidCursor(): CallFailure {
  return {
    kind: 'invalid_input',
    code: 'invalid_cursor',
    ...said('Invalid cursor: the list may have changed.', 'Begin again without a cursor.'),
  };
}

/** A refusal by policy, or because nobody could decide. */
export function denied(reason: string, permission: string, referenceId: string): CallFailure {
  const words =
    reason === 'unavailable'
      ? said(
          'Whether you may do this could not be decided just now, so it was not done.',
          `Try again in a minute; reference ${referenceId}.`,
        )
      : said(
          `Not allowed: this needs the permission "${permission}".`,
          `Do not try again; ask the person you work for to request it from their operator, with the reference ${referenceId}.`,
        );
  return { kind: 'denied', code: reason, ...words };
}

const TOO_MANY: Readonly<Record<Exceeded['what'], Readonly<Record<Exceeded['scope'], string>>>> = {
  rate: {
    caller: 'Too many calls.',
    server: 'The server has too many calls.',
    tool: 'Too many calls of this tool.',
  },
  concurrency: {
    caller: 'Too many of your calls are running.',
    server: 'Too many calls are running.',
    tool: 'Too many calls of this tool are running.',
  },
};

/** A refusal by a limit, with the wait in it. */
export function limited({ what, scope, retryAfterMs }: Exceeded): CallFailure {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return {
    kind: 'limited',
    code: what === 'rate' ? 'rate_limited' : 'concurrency_limited',
    retryAfterMs: seconds * 1000,
    ...said(`${TOO_MANY[what][scope]} Nothing was done.`, `Wait ${seconds} s, then try again.`),
  };
}

/** A change that was not made because it could not be written down first. */
export function notRecorded(referenceId: string): CallFailure {
  return {
    kind: 'not_recorded',
    code: 'audit_unavailable',
    ...said(
      'Nothing was done, because the action could not be recorded.',
      `Try again in a minute; if that fails too, give your operator the reference ${referenceId}.`,
    ),
  };
}

/** Who stopped a call: the client, the deadline, or the server that ends. */
export type Interruption = 'cancelled' | 'deadline_exceeded' | 'server_stopped';

const INTERRUPTED: Readonly<Record<Interruption, string>> = {
  cancelled: 'The call was cancelled.',
  deadline_exceeded: 'The call took too long and was stopped.',
  server_stopped: 'The server was stopped before the call ended.',
};

/** A call that was stopped before it ended. */
export function interrupted(code: Interruption, isUncertain: boolean, referenceId: string): CallFailure {
  const what = INTERRUPTED[code];
  const next = isUncertain ? CHECK_FIRST : 'Try again later.';
  return { kind: 'interrupted', code, isUncertain, ...said(what, `${next} Reference ${referenceId}.`) };
}

/** Why an output cannot be told. */
export type OutputProblem =
  | { readonly code: 'output_too_large'; readonly bytes: number; readonly maxBytes: number }
  | { readonly code: 'output_invalid' };

/** An output that cannot be told, of something that only read. */
export function untoldRead(problem: OutputProblem, referenceId: string): CallFailure {
  const next =
    problem.code === 'output_too_large'
      ? 'Ask for less, for example for one service.'
      : `Trying again at once is unlikely to help. Give your operator the reference ${referenceId}.`;
  return {
    kind: 'failed',
    code: problem.code,
    isUncertain: false,
    ...said(`The output ${wordsOf(problem)}.`, next),
  };
}

/** An output that cannot be told, of a change that is over. */
export function untoldChange(problem: OutputProblem, isFailure: boolean, referenceId: string): CallFailure {
  const what = isFailure ? 'The call reported a failure' : 'It was done';
  return {
    kind: 'done_untold',
    code: problem.code,
    isFailure,
    ...said(
      `${what}, but its output ${wordsOf(problem)}, so it cannot be shown.`,
      `Do not repeat the call; look at its effect instead. Reference ${referenceId}.`,
    ),
  };
}

function wordsOf(problem: OutputProblem): string {
  return problem.code === 'output_too_large'
    ? `is too large (${problem.bytes} bytes; the maximum is ${problem.maxBytes})`
    : 'is not what the tool promises';
}

/** A sentence or two: what is longer quotes something at length, which would cost a model more than any answer. */
const MAX_REPORTED_LENGTH = 4_000;

/** A failure that the handler has put into words for the model, and so knows what was done. */
export function reported(
  code: string,
  publicMessage: string,
  nextStep?: string,
  requiredCapabilities?: JsonObject,
): CallFailure {
  return {
    kind: 'failed',
    code,
    isUncertain: false,
    message: shorten(publicMessage, MAX_REPORTED_LENGTH),
    nextStep: nextStep === undefined ? undefined : shorten(nextStep, MAX_REPORTED_LENGTH),
    requiredCapabilities,
  };
}

/** A failure that a handler, or the protocol, has as an error of JSON-RPC. */
export function protocolFault(code: string, rpcFault: RpcFault): CallFailure {
  return { kind: 'failed', code, isUncertain: false, message: rpcFault.message, rpcFault };
}

/** What the client was given to keep is not what it brings back. */
export function invalidRequestState(isExpired: boolean): CallFailure {
  return isExpired
    ? {
        kind: 'invalid_input',
        code: 'request_state_expired',
        ...said(
          'The question was answered too late, so nothing was done.',
          'Begin again, without "requestState".',
        ),
      }
    : {
        kind: 'invalid_input',
        code: 'invalid_request_state',
        ...said(
          'Invalid "requestState": it belongs to another call, or was changed.',
          'Begin again, without it.',
        ),
      };
}

/** A task that may have been started. */
export function startUnknown(
  taskId: string,
  tool: string,
  plan: { readonly isTaskRequired: boolean; readonly statusTool: string },
): CallFailure {
  const look = plan.isTaskRequired ? 'Look for' : `Call ${plan.statusTool} with`;
  return {
    kind: 'failed',
    code: 'start_unknown',
    isUncertain: true,
    ...said(
      `It is not known whether ${tool} was started.`,
      `${look} taskId ${taskId} first; start it again only if there is no such task in a minute.`,
    ),
  };
}

/** A failure whose cause belongs to the operator alone. */
export function internalFailure(referenceId: string, isUncertain: boolean): CallFailure {
  const next = isUncertain ? CHECK_FIRST : 'Trying again at once is unlikely to help.';
  return {
    kind: 'failed',
    code: 'internal',
    isUncertain,
    ...said(
      'The call failed for an internal reason.',
      `${next} Give your operator the reference ${referenceId}.`,
    ),
  };
}

/** A name that a client made up is shown and stored, but not at any length. */
export function shorten(text: string, maxLength = 128): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}

function nounOf(method: string): string {
  switch (method.slice(0, method.indexOf('/'))) {
    case 'tools':
      return 'tool';
    case 'prompts':
      return 'prompt';
    case 'completion':
      return 'reference';
    default:
      return 'resource';
  }
}
