import {
  createCircuitBreaker,
  type CircuitBreaker,
  type CircuitHealth,
  type CircuitOptions,
  type Passage,
  type Verdict,
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

  const callers: Callers = {
    onSuccess(caller, hasOwn) {
      lastFailed = undefined;
      const name = hasOwn ? caller() : undefined;
      if (name !== undefined) {
        forget(name);
      }
    },
    onFailure(caller) {
      const name = caller();
      const isRepeated = name !== undefined && name === lastFailed;
      lastFailed = name;
      return { isRepeated, own: name === undefined ? undefined : ownOf(name) };
    },
  };

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
      return new CallerPassage(passage, circuit?.admit(), { caller, callers });
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

interface Callers {
  readonly onSuccess: (caller: CallerName, hasOwn: boolean) => void;
  /** The circuit of whoever failed, and whether nobody else's call ended in between. */
  readonly onFailure: (caller: CallerName) => {
    readonly isRepeated: boolean;
    readonly own: CircuitBreaker | undefined;
  };
}

/** A call's way through the common circuit, and through its caller's own if there is one. */
class CallerPassage implements Passage {
  readonly isProbe: boolean;
  readonly #common: Passage;
  readonly #own: Passage | undefined;
  readonly #caller: CallerName;
  readonly #callers: Callers;

  constructor(
    common: Passage,
    own: Passage | undefined,
    { caller, callers }: { readonly caller: CallerName; readonly callers: Callers },
  ) {
    this.isProbe = common.isProbe || own?.isProbe === true;
    this.#common = common;
    this.#own = own;
    this.#caller = caller;
    this.#callers = callers;
  }

  isCurrent(): boolean {
    return this.#common.isCurrent() && (this.#own === undefined || this.#own.isCurrent());
  }

  end(verdict: Verdict, isSlow: boolean): Promise<unknown> {
    if (verdict === 'failure') {
      return this.#fail(isSlow);
    }
    if (verdict === 'success') {
      this.#callers.onSuccess(this.#caller, this.#own !== undefined);
    }
    const ended = this.#common.end(verdict, isSlow);
    return this.#own === undefined ? ended : Promise.all([this.#own.end(verdict, isSlow), ended]);
  }

  #fail(isSlow: boolean): Promise<unknown> {
    const { isRepeated, own } = this.#callers.onFailure(this.#caller);
    const verdict = isRepeated && !this.#common.isProbe ? 'neutral' : 'failure';
    return Promise.all([
      (this.#own ?? own?.admit())?.end('failure', isSlow),
      this.#common.end(verdict, isSlow),
    ]);
  }
}
