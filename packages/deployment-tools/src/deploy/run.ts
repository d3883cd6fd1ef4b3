import type { Client } from '@mcp-parts/resilient-client';
import type { CallContext, CallTask } from '@mcp-parts/tool-kit';

import type { DeploymentTarget } from '../deployment/schemas.ts';
import type { PrerequisiteSources } from '../prerequisites/prerequisites.ts';

/** What a deployment needs from outside. */
export interface DeployOptions extends PrerequisiteSources {
  readonly deployments: Client;
  /** Time between two looks at a deployment, in milliseconds. */
  readonly pollIntervalMs: number;
  /** How long a region may take to be healthy with the new version, in milliseconds. */
  readonly healthyWithinMs: number;
  /** Waits; rejects when the signal aborts. */
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** One run of the task that a deployment is. */
export interface Run {
  readonly target: DeploymentTarget;
  readonly context: CallContext;
  readonly options: DeployOptions;
}

/** The task of the run. */
export function taskOf({ context: { task } }: Run): CallTask {
  if (task === undefined) {
    throw new TypeError('a deployment is made in a task');
  }
  return task;
}

/** A server that is restarted half-way, or a run that took too long, must not undo what people asked for. */
export function isCancelled({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Error && 'code' in reason && reason.code === 'cancelled';
}

/** Aborts as the run's does, except for a cancellation: what undoes something must not be cancelled. */
export function signalOfUndoing({ context: { signal } }: Run): AbortSignal {
  const controller = new AbortController();
  const follow = () => {
    if (!isCancelled(signal)) {
      controller.abort(signal.reason);
    }
  };
  if (signal.aborted) {
    follow();
  } else {
    signal.addEventListener('abort', follow, { once: true });
  }
  return controller.signal;
}
