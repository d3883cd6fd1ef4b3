import { isVisible, type Permission } from '../definition/permission.ts';
import type { Decision } from '../ports.ts';
import type { Deadline } from './deadline.ts';
import * as failure from './failure/failure.ts';
import type { Call, Operation, RequestContext, Sealed } from './operation.ts';
import type { ResolvedPipelineOptions } from './pipeline-options.ts';

/** Who asks, and what ends the question. */
export type Asker = Pick<RequestContext, 'caller' | 'signal' | 'correlationId'>;

/** What the policy said no to. */
export interface Denial {
  readonly permission: string;
  readonly decision: Decision & { readonly allowed: false };
}

/** Whether a call may run, and on what. */
export type Admission =
  | {
      readonly admitted: true;
      readonly operation: Operation;
      readonly input: Sealed;
      /** The rule of the policy that allowed it. */
      readonly rule: string | undefined;
    }
  | {
      readonly admitted: false;
      readonly failure: failure.CallFailure;
      /** Where it was the policy that refused. */
      readonly denied?: { readonly denial: Denial; readonly input: Sealed } | undefined;
    };

/**
 * Everything that comes before a call runs, in this order: limit, find, parse, authorize. Whatever is asked counts
 * against the limit, also what is refused. Throws when the call is interrupted, or by a fault of a port.
 */
export async function admit(
  call: Call,
  { caller, correlationId }: Asker,
  pipeline: ResolvedPipelineOptions,
  deadline: Deadline,
): Promise<Admission> {
  const { operation } = call;
  if (operation?.isPart !== true) {
    const counted = pipeline.limiter.count(caller.id, weightOf(operation, caller));
    const exceeded = counted && (await deadline.until(counted));
    if (exceeded !== undefined) {
      return refused(failure.limited(exceeded));
    }
  }

  if (call.malformed !== undefined) {
    return refused(failure.malformed(call.malformed));
  }
  // What the caller may not see does not exist.
  if (operation === undefined || !mayKnow(operation.permission, caller)) {
    return refused(failure.unknownTarget(call.method, call.target, operation !== undefined));
  }

  const parsed = operation.parse(call.arguments);
  if (!parsed.ok) {
    return refused(parsed.failure);
  }
  const { input } = parsed;

  const permission = operation.permissionOf?.(input, caller);
  if (permission === undefined) {
    return { admitted: true, operation, input, rule: undefined };
  }
  const decision = await decide(permission, { caller, correlationId }, pipeline, deadline);
  if (decision.allowed) {
    return { admitted: true, operation, input, rule: decision.rule };
  }
  return {
    admitted: false,
    failure: failure.denied(decision.reason, permission, correlationId),
    denied: { denial: { permission, decision }, input },
  };
}

function refused(failure: failure.CallFailure) {
  return { admitted: false, failure } as const;
}

/** What the caller may not see weighs as much as what does not exist. */
function weightOf(operation: Operation | undefined, caller: Asker['caller']): number {
  const weight = operation?.limit?.weight;
  return weight !== undefined && mayKnow(operation?.permission, caller) ? weight : 1;
}

function mayKnow(permission: Permission<never> | undefined, caller: Asker['caller']): boolean {
  return permission === undefined || isVisible(permission, caller);
}

/** Who cannot decide says no, and the cause is logged. */
export async function decide(
  permission: string,
  { caller, correlationId }: Omit<Asker, 'signal'>,
  { authorizer, logger }: ResolvedPipelineOptions,
  deadline: Deadline,
): Promise<Decision> {
  try {
    return await deadline.until(authorizer.decide(caller, permission, new SignalOfDeadline(deadline)));
  } catch (error) {
    deadline.throwIfInterrupted();
    logger.error({ err: error, correlationId }, 'authorization not decided');
    return { allowed: false, reason: 'unavailable' };
  }
}

/** Few authorizers wait, and only those need a signal. */
class SignalOfDeadline {
  readonly #deadline: Deadline;

  constructor(deadline: Deadline) {
    this.#deadline = deadline;
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }
}
