// The only file that knows opossum.
import { EventEmitter } from 'node:events';

// @ts-expect-error opossum publishes no types; those used here are declared below.
import untypedOpossum from 'opossum';

import type { Clock } from '../time/clock.ts';
import type { CallPolicy } from './call-policy.ts';
import { createRollingCount } from './rolling-count.ts';

/**
 * `closed`: calls pass. `open`: none does. `half_open`: one passes at a time, as a probe, and decides. `isolated`: none
 * does until somebody resets it.
 */
export type CircuitState = 'closed' | 'open' | 'half_open' | 'isolated';

/** What a call says about the upstream's health. `neutral` says nothing: a cancellation, or a refusal for load. */
export type Verdict = 'success' | 'failure' | 'neutral';

/** A circuit breaker's state for readiness checks and dashboards. */
export interface CircuitHealth {
  readonly state: CircuitState;
  /** Failed calls since the last success. Those of one caller in a row are one: they may be its own doing. */
  readonly consecutiveFailures: number;
  /** Milliseconds until a probe is let through; only while open. */
  readonly retryInMs?: number | undefined;
  /** Callers that are held back alone, because only their own calls fail; only while there are any. */
  readonly callersHeldBack?: number | undefined;
}

/** Stops calls to an upstream that keeps failing, and lets one call at a time find out whether it is back. */
export interface CircuitBreaker {
  /** Milliseconds to wait when a call would be shed now, else undefined. Takes no probe. */
  readonly shedsForMs: () => number | undefined;
  /** Lets one call pass, or sheds it: then there is no passage. */
  readonly admit: () => Passage | undefined;
  readonly health: () => CircuitHealth;
  /** Lets nothing pass from now on. */
  readonly isolate: () => void;
  /** Closes the circuit and forgets every failure. */
  readonly reset: () => void;
  readonly close: () => void;
}

/** One call on its way through a circuit, with all its attempts. */
export interface Passage {
  /** Whether this call finds out for all others if the upstream is back. */
  readonly isProbe: boolean;
  /** Whether the circuit is still in the phase that let the call pass. */
  readonly isCurrent: () => boolean;
  /** Tells how the call went, once. What comes after its phase has ended changes nothing. */
  readonly end: (verdict: Verdict, isSlow: boolean) => Promise<unknown>;
}

/** What a circuit is made of. */
export interface CircuitOptions {
  readonly policy: Pick<CallPolicy['breaker'], 'failures' | 'openMs' | 'rate'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onChange: (from: CircuitState, to: CircuitState) => void;
}

/**
 * Each phase of the circuit has an opossum of its own. A circuit that opens is shut down and forgotten, so a late
 * result of a call that began before can neither close nor re-open the phase that follows.
 */
type Phase =
  | { readonly state: 'closed' | 'half_open'; readonly circuit: OpossumCircuit }
  | { readonly state: 'open'; readonly until: number }
  | { readonly state: 'isolated' };

/** Creates a closed circuit. Open time is read from the clock when someone asks, so there is no timer to leak. */
export function createCircuitBreaker(options: CircuitOptions): CircuitBreaker {
  const { policy, clock, random, onChange } = options;
  const { rate } = policy;
  const recent = rate && {
    all: createRollingCount(rate.windowMs),
    failed: createRollingCount(rate.windowMs),
    slow: createRollingCount(rate.windowMs),
  };
  let consecutiveFailures = 0;
  let phase: Phase = { state: 'closed', circuit: createCircuit(false) };

  function enter(next: Phase): void {
    const from = phase.state;
    const circuit = 'circuit' in next ? next.circuit : undefined;
    if ('circuit' in phase && phase.circuit !== circuit) {
      phase.circuit.shutdown();
    }
    phase = next;
    if (from !== next.state) {
      onChange(from, next.state);
    }
  }

  function forgetRate(): void {
    if (recent) {
      recent.all.clear();
      recent.failed.clear();
      recent.slow.clear();
    }
  }

  function open(): void {
    // What failed before the pause must not count against what follows it.
    forgetRate();
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

  /** Counts a call in rate mode and tells whether too many of the recent ones failed, or were slow. */
  function isRateExceeded(hasFailed: boolean, isSlow: boolean): boolean {
    if (!rate || !recent) {
      return false;
    }
    const now = clock.monotonicNow();
    recent.all.add(now);
    if (hasFailed) {
      recent.failed.add(now);
    }
    if (isSlow) {
      recent.slow.add(now);
    }
    const total = recent.all.total(now);
    if (total < rate.minCalls) {
      return false;
    }
    const isOver = (count: number, percent: number) => count * 100 >= percent * total;
    return (
      (hasFailed && isOver(recent.failed.total(now), rate.percent)) ||
      (isSlow && isOver(recent.slow.total(now), rate.slowPercent ?? rate.percent))
    );
  }

  function createCircuit(halfOpen: boolean): OpossumCircuit {
    const circuit = newOpossum(halfOpen);
    // Opossum never settles a call whose listener throws: these only assign, and `onChange` must not throw.
    circuit.on('failure', (failed) => {
      consecutiveFailures += 1;
      const isTooMuch =
        isRateExceeded(true, failed instanceof CallFailed && failed.isSlow) ||
        consecutiveFailures >= policy.failures;
      if (phase.state === 'half_open' || isTooMuch) {
        open();
      }
    });
    circuit.on('success', ({ verdict, isSlow }) => {
      if (verdict !== 'success') {
        return;
      }
      consecutiveFailures = 0;
      if (isRateExceeded(false, isSlow)) {
        open();
      }
    });
    circuit.on('close', () => enter({ state: 'closed', circuit }));
    return circuit;
  }

  const phases: Phases = {
    isCurrent: (circuit) => 'circuit' in phase && phase.circuit === circuit,
    probeAgain: () => enter({ state: 'half_open', circuit: createCircuit(true) }),
  };

  return {
    shedsForMs() {
      const now = currentPhase();
      switch (now.state) {
        case 'closed':
          return undefined;
        case 'half_open':
          return now.circuit.pendingClose ? undefined : 0;
        case 'open':
          return now.until - clock.monotonicNow();
        case 'isolated':
          return Number.POSITIVE_INFINITY;
        default:
          return now satisfies never;
      }
    },

    admit() {
      const start = currentPhase();
      if (!('circuit' in start) || (start.state === 'half_open' && !start.circuit.pendingClose)) {
        return undefined;
      }
      return new FiredPassage(start.circuit, start.state === 'half_open', phases);
    },

    health() {
      const now = currentPhase();
      const report = { state: now.state, consecutiveFailures };
      return now.state === 'open' ? { ...report, retryInMs: now.until - clock.monotonicNow() } : report;
    },

    isolate: () => enter({ state: 'isolated' }),

    reset() {
      consecutiveFailures = 0;
      forgetRate();
      enter({ state: 'closed', circuit: createCircuit(false) });
    },

    close() {
      if ('circuit' in phase) {
        phase.circuit.shutdown();
      }
    },
  };
}

interface Phases {
  readonly isCurrent: (circuit: OpossumCircuit) => boolean;
  readonly probeAgain: () => void;
}

/** A call as opossum sees it: an action that ends when it is told to. One for each call, so it has no closures. */
class FiredPassage implements Passage {
  readonly isProbe: boolean;
  readonly #circuit: OpossumCircuit;
  readonly #phases: Phases;
  readonly #ending = Promise.withResolvers<CallEnd>();
  readonly #fired: Promise<CallEnd>;

  constructor(circuit: OpossumCircuit, isProbe: boolean, phases: Phases) {
    this.isProbe = isProbe;
    this.#circuit = circuit;
    this.#phases = phases;
    this.#fired = circuit.fire(this.#ending.promise);
  }

  isCurrent(): boolean {
    return this.#phases.isCurrent(this.#circuit);
  }

  end(verdict: Verdict, isSlow: boolean): Promise<unknown> {
    // A probe that learned nothing gives its turn back; the circuit neither closes nor stays stuck.
    if (verdict === 'neutral' && this.isProbe && this.isCurrent()) {
      this.#phases.probeAgain();
    }
    if (verdict === 'failure' || (isSlow && this.isProbe)) {
      this.#ending.reject(new CallFailed(isSlow));
      return this.#fired.catch(() => {});
    }
    this.#ending.resolve(verdict === 'success' && !isSlow ? GOOD : { verdict, isSlow });
    return this.#fired;
  }
}

/** How a call ended that did not fail. */
interface CallEnd {
  readonly verdict: Verdict;
  readonly isSlow: boolean;
}

const GOOD: CallEnd = { verdict: 'success', isSlow: false };

/** Tells opossum that a call failed. */
class CallFailed extends Error {
  readonly isSlow: boolean;

  constructor(isSlow: boolean) {
    super('the call failed');
    this.isSlow = isSlow;
  }
}

/** The part of opossum 10 that is used. */
interface OpossumCircuit {
  /** Half-open and its one probe not yet taken. */
  readonly pendingClose: boolean;
  readonly fire: (end: Promise<CallEnd>) => Promise<CallEnd>;
  readonly on: ((event: 'failure', listener: (error: unknown) => void) => void) &
    ((event: 'close', listener: () => void) => void) &
    ((event: 'success', listener: (end: CallEnd) => void) => void);
  readonly shutdown: () => void;
}

type OpossumConstructor = new (
  action: (end: Promise<CallEnd>) => Promise<CallEnd>,
  options: Readonly<Record<string, unknown>>,
) => OpossumCircuit;

const Opossum = untypedOpossum as OpossumConstructor;

/**
 * An opossum reduced to what it does well: passing calls while closed, one probe while half-open. Its timeout cancels
 * nothing, its percentage would open after one failure, and its own reset timer cannot follow an injected clock.
 */
function newOpossum(halfOpen: boolean): OpossumCircuit {
  // Its statistics decide nothing here, yet keep a latency for each call: the one bucket is turned over when it is full.
  const rotation = new EventEmitter();
  let inBucket = 0;
  return new Opossum(
    (end) => {
      inBucket += 1;
      if (inBucket === BUCKET_CALLS) {
        inBucket = 0;
        rotation.emit('rotate');
      }
      return end;
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

const BUCKET_CALLS = 100;
