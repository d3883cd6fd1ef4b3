import {
  createCircuitBreaker,
  type CircuitBreaker,
  type CircuitHealth,
  type CircuitOptions,
  type Passage,
} from './circuit-breaker.ts';

/** Names the caller of a call, or nobody. A function, because a name costs more than most calls need to pay. */
export type CallerName = () => string | undefined;

/** The circuit of an endpoint, and one of its own for each caller whose calls fail. */
export interface CallerCircuits {
  /** Milliseconds to wait when a call would be shed now, else undefined. */
  readonly shedsForMs: (caller: CallerName) => number | undefined;
  readonly admit: (caller: CallerName) => Passage | undefined;
  readonly health: () => CircuitHealth;
  readonly isolate: () => void;
  readonly reset: () => void;
  readonly close: () => void;
}

/** A caller that is forgotten early starts again with no failures. */
const MAX_CALLERS = 1_000;

/**
 * Keeps the failures of one caller from shutting out the others: what it asks for may be what the upstream chokes on. Its
 * failed calls open a circuit of its own, and in a row they count in the common one only once. Calls of nobody in
 * particular count there each.
 */
export function createCallerCircuits(options: CircuitOptions): CallerCircuits {
  const common = createCircuitBreaker(options);
  // In the order of the first failure.
  const own = new Map<string, CircuitBreaker>();
  let lastFailed: string | undefined;

  function ownOf(caller: string): CircuitBreaker {
    let circuit = own.get(caller);
    if (circuit === undefined) {
      const [oldest] = own.keys();
      if (own.size >= MAX_CALLERS && oldest !== undefined) {
        forget(oldest);
      }
      circuit = createCircuitBreaker({ ...options, onChange: () => {} });
      own.set(caller, circuit);
    }
    return circuit;
  }

  function forget(caller: string): void {
    own.get(caller)?.close();
    own.delete(caller);
  }

  function known(caller: CallerName): CircuitBreaker | undefined {
    const name = own.size === 0 ? undefined : caller();
    return name === undefined ? undefined : own.get(name);
  }

  return {
    shedsForMs: (caller) => common.shedsForMs() ?? known(caller)?.shedsForMs(),

    admit(caller) {
      const circuit = known(caller);
      if (circuit?.shedsForMs() !== undefined) {
        return undefined;
      }
      const passage = common.admit();
      if (passage === undefined) {
        return undefined;
      }
      const ownPassage = circuit?.admit();
      return {
        isProbe: passage.isProbe || ownPassage?.isProbe === true,
        isCurrent: () => passage.isCurrent() && (ownPassage?.isCurrent() ?? true),
        async end(verdict, isSlow) {
          if (verdict === 'success') {
            lastFailed = undefined;
          }
          if (verdict !== 'failure') {
            await ownPassage?.end(verdict, isSlow);
            const name = circuit === undefined ? undefined : caller();
            if (name !== undefined && verdict === 'success') {
              forget(name);
            }
            return passage.end(verdict, isSlow);
          }
          const name = caller();
          const isRepeated = name !== undefined && name === lastFailed && !passage.isProbe;
          lastFailed = name;
          if (name !== undefined) {
            await (ownPassage ?? ownOf(name).admit())?.end(verdict, isSlow);
          }
          return passage.end(isRepeated ? 'neutral' : verdict, isSlow);
        },
      };
    },

    health() {
      const health = common.health();
      const callersHeldBack = [...own.values()].filter((circuit) => circuit.health().state === 'open').length;
      return callersHeldBack === 0 ? health : { ...health, callersHeldBack };
    },

    isolate: () => common.isolate(),

    reset() {
      for (const caller of own.keys()) {
        forget(caller);
      }
      lastFailed = undefined;
      common.reset();
    },

    close() {
      for (const circuit of own.values()) {
        circuit.close();
      }
      common.close();
    },
  };
}
