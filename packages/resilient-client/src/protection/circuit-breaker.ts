// The only file that knows opossum.
import { EventEmitter } from 'node:events';

// @ts-expect-error opossum publishes no types; those used here are declared below.
import untypedOpossum from 'opossum';

import type { Clock } from '../time/clock.ts';
import type { CallPolicy } from './call-policy.ts';
import { createRollingCount } from './rolling-count.ts';

/** `closed`: calls pass. `open`: none does. `half_open`: one passes, as a probe, and decides. */
export type CircuitState = 'closed' | 'open' | 'half_open';

/** What an attempt says about the upstream's health. `neutral` says nothing: a cancellation, or a refusal for load. */
export type Verdict = 'success' | 'failure' | 'neutral';

/** A circuit breaker's state for readiness checks and dashboards. */
export interface CircuitHealth {
  readonly state: CircuitState;
  /** Failed attempts since the last success. */
  readonly consecutiveFailures: number;
  /** Milliseconds until a probe is let through; only while open. */
  readonly retryInMs?: number | undefined;
}

/** Stops calls to an upstream that keeps failing, and lets one call at a time find out whether it is back. */
export interface CircuitBreaker {
  /** Milliseconds to wait when a call would be shed now, else undefined. Takes no probe. */
  readonly shedsForMs: () => number | undefined;
  /** Runs the attempt and judges its result, or sheds it: then there is none and the attempt never ran. */
  readonly run: <T>(attempt: () => Promise<T>, judge: (result: T) => Verdict) => Promise<T | undefined>;
  readonly health: () => CircuitHealth;
  readonly close: () => void;
}

/**
 * Each phase of the circuit has an opossum of its own. A circuit that opens is shut down and forgotten, so a late
 * result of a call that began before can neither close nor re-open the phase that follows.
 */
type Phase =
  | { readonly state: 'closed'; readonly circuit: OpossumCircuit }
  | { readonly state: 'open'; readonly until: number }
  | { readonly state: 'half_open'; readonly circuit: OpossumCircuit };

/** Creates a closed circuit. Open time is read from the clock when someone asks, so there is no timer to leak. */
export function createCircuitBreaker(options: {
  readonly policy: CallPolicy['breaker'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly onChange: (from: CircuitState, to: CircuitState) => void;
}): CircuitBreaker {
  const { policy, clock, random, onChange } = options;
  const { rate } = policy;
  const recent = rate && {
    all: createRollingCount(rate.windowMs),
    failed: createRollingCount(rate.windowMs),
  };
  let consecutiveFailures = 0;
  let phase: Phase = { state: 'closed', circuit: createCircuit(false) };

  function enter(next: Phase): void {
    const from = phase.state;
    if (phase.state !== 'open' && (next.state === 'open' || next.circuit !== phase.circuit)) {
      phase.circuit.shutdown();
    }
    phase = next;
    if (from !== next.state) {
      onChange(from, next.state);
    }
  }

  function open(): void {
    // What failed before the pause must not count against what follows it.
    if (recent) {
      recent.all.clear();
      recent.failed.clear();
    }
    // Jitter keeps replicas from probing in step; it only ever adds, so `openMs` is kept.
    enter({ state: 'open', until: clock.monotonicNow() + policy.openMs * (1 + random() / 10) });
  }

  /** The phase by the clock: an open circuit whose time is up becomes half-open. */
  function currentPhase(): Phase {
    if (phase.state === 'open' && clock.monotonicNow() >= phase.until) {
      enter({ state: 'half_open', circuit: createCircuit(true) });
    }
    return phase;
  }

  /** Counts an attempt in rate mode and tells whether too many of the recent ones failed. */
  function isRateExceeded(hasFailed: boolean): boolean {
    if (!rate || !recent) {
      return false;
    }
    const now = clock.monotonicNow();
    recent.all.add(now);
    if (hasFailed) {
      recent.failed.add(now);
    }
    const total = recent.all.total(now);
    return hasFailed && total >= rate.minCalls && recent.failed.total(now) * 100 >= rate.percent * total;
  }

  function createCircuit(halfOpen: boolean): OpossumCircuit {
    const circuit = newOpossum(halfOpen);
    // Opossum never settles a call whose listener throws: these only assign, and `onChange` must not throw.
    circuit.on('failure', () => {
      consecutiveFailures += 1;
      const isTooMuch = isRateExceeded(true) || consecutiveFailures >= policy.failures;
      if (phase.state === 'half_open' || isTooMuch) {
        open();
      }
    });
    circuit.on('success', (verdict) => {
      if (verdict !== 'success') {
        return;
      }
      consecutiveFailures = 0;
      isRateExceeded(false);
    });
    circuit.on('close', () => enter({ state: 'closed', circuit }));
    return circuit;
  }

  return {
    shedsForMs() {
      const now = currentPhase();
      if (now.state === 'open') {
        return now.until - clock.monotonicNow();
      }
      return now.state === 'half_open' && !now.circuit.pendingClose ? 0 : undefined;
    },

    async run<T>(attempt: () => Promise<T>, judge: (result: T) => Verdict) {
      const start = currentPhase();
      if (start.state === 'open') {
        return undefined;
      }
      const { circuit } = start;
      let settled: { readonly result: T } | undefined;
      try {
        await circuit.fire(async () => {
          const result = await attempt();
          const verdict = judge(result);
          settled = { result };
          // A probe that learned nothing gives its turn back; the circuit neither closes nor stays stuck.
          if (verdict === 'neutral' && circuit.halfOpen) {
            enter({ state: 'half_open', circuit: createCircuit(true) });
          }
          if (verdict === 'failure') {
            throw new AttemptFailed();
          }
          return verdict;
        });
      } catch (error) {
        if (!(error instanceof AttemptFailed) && !isShed(error)) {
          throw error;
        }
      }
      return settled?.result;
    },

    health() {
      const now = currentPhase();
      const report = { state: now.state, consecutiveFailures };
      return now.state === 'open' ? { ...report, retryInMs: now.until - clock.monotonicNow() } : report;
    },

    close() {
      if (phase.state !== 'open') {
        phase.circuit.shutdown();
      }
    },
  };
}

/** Tells opossum that an attempt failed; its result travels beside. */
class AttemptFailed extends Error {}

/** The part of opossum 10 that is used. */
interface OpossumCircuit {
  readonly halfOpen: boolean;
  /** Half-open and its one probe not yet taken. */
  readonly pendingClose: boolean;
  readonly fire: (action: () => Promise<Verdict>) => Promise<Verdict>;
  readonly on: ((event: 'failure' | 'close', listener: () => void) => void) &
    ((event: 'success', listener: (verdict: Verdict) => void) => void);
  readonly shutdown: () => void;
}

type OpossumConstructor = new (
  action: (action: () => Promise<Verdict>) => Promise<Verdict>,
  options: Readonly<Record<string, unknown>>,
) => OpossumCircuit;

const Opossum = untypedOpossum as OpossumConstructor;

/**
 * An opossum reduced to what it does well: passing calls while closed, one probe while half-open. Its timeout cancels
 * nothing, its percentage would open after one failure, and its own reset timer cannot follow an injected clock.
 */
function newOpossum(halfOpen: boolean): OpossumCircuit {
  // Its statistics decide nothing here, yet keep a latency for each call: every call turns the one bucket over.
  const rotation = new EventEmitter();
  return new Opossum(
    (action) => {
      rotation.emit('rotate');
      return action();
    },
    {
      timeout: false,
      errorThresholdPercentage: Number.POSITIVE_INFINITY,
      rollingCountBuckets: 1,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotation,
      state: { closed: !halfOpen, halfOpen },
    },
  );
}

function isShed(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'EOPENBREAKER' || code === 'ESHUTDOWN';
}
