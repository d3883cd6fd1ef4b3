import { atMost } from '../../at-most.ts';

/** Checks one thing that calls need; rejects when it is not there. */
export type Probe = (options: { readonly signal: AbortSignal }) => Promise<void>;

/** How a check ended; `unknown` until it has ended once. */
type CheckState = 'ok' | 'failed' | 'unknown';

/** Whether a server may get traffic: names and states, nothing internal. */
export interface Readiness {
  /**
   * `degraded`: something that all replicas share is not there. Each goes on serving what does not need it, and tells
   * the rest apart: taking all of them out of service would help nobody.
   */
  readonly state: 'ready' | 'degraded' | 'not_ready';
  readonly checks: Readonly<Record<string, CheckState>>;
}

/** What readiness is made of. */
export interface ReadinessOptions {
  /** The replica's own matters, which answer at once: without one of them it is not ready. */
  readonly own: Readonly<Record<string, () => void>>;
  /** What all replicas share: without one of them the replica is degraded. */
  readonly shared: Readonly<Record<string, Probe>>;
  /** Names of shared ones without which the replica is not ready either. */
  readonly required: readonly string[];
  readonly onFailure: (name: string, error: unknown) => void;
  /** How long a probe may take, in milliseconds. @default 5_000 */
  readonly probeTimeoutMs?: number;
  /** How long an answer waits for probes, in milliseconds, before it tells what was known before. @default 500 */
  readonly patienceMs?: number;
}

/** Asks how the server is, and tells what is known without asking. */
export interface ReadinessCheck {
  /** Probes at most once at a time: frequent questions do not become load on the upstreams. */
  readonly ask: () => Promise<Readiness>;
  readonly known: () => Readiness;
}

/**
 * Knows whether a server may get traffic. A shared upstream that hangs does not delay the answer by more than
 * `patienceMs`, so that the probe of a platform does not time out because of it.
 *
 * @throws {RangeError} when `required` names what is not shared.
 */
export function createReadiness(options: ReadinessOptions): ReadinessCheck {
  const { own, shared, required, onFailure, probeTimeoutMs = 5_000, patienceMs = 500 } = options;
  const names = Object.keys(shared);
  const stranger = required.find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw new RangeError(
      `readinessRequires: must name ${names.length === 0 ? 'nothing, as there are no probes' : names.join(', ')}, got ${stranger}`,
    );
  }
  const states = new Map<string, CheckState>(names.map((name) => [name, 'unknown']));
  let round: Promise<void> | undefined;

  async function probeAll(): Promise<void> {
    await Promise.all(
      Object.entries(shared).map(async ([name, probe]) => {
        try {
          await callProbe(probe, probeTimeoutMs);
          states.set(name, 'ok');
        } catch (error) {
          onFailure(name, error);
          states.set(name, 'failed');
        }
      }),
    );
    round = undefined;
  }

  function known(onProblem: ReadinessOptions['onFailure'] = () => undefined): Readiness {
    const checks: Record<string, CheckState> = Object.fromEntries(states);
    let isReady = required.every((name) => states.get(name) !== 'failed');
    for (const [name, check] of Object.entries(own)) {
      try {
        check();
        checks[name] = 'ok';
      } catch (error) {
        onProblem(name, error);
        checks[name] = 'failed';
        isReady = false;
      }
    }
    const isDegraded = [...states.values()].includes('failed');
    return { state: isReady ? (isDegraded ? 'degraded' : 'ready') : 'not_ready', checks };
  }

  return {
    known: () => known(),
    async ask() {
      if (names.length > 0) {
        round ??= probeAll();
        await atMost(patienceMs, round);
      }
      return known(onFailure);
    },
  };
}

/** Gives up on time, also on a probe that ignores its signal. */
async function callProbe(probe: Probe, timeoutMs: number): Promise<void> {
  const abort = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`no response within ${timeoutMs} ms`);
    abort.abort(error);
    late.reject(error);
  }, timeoutMs);
  try {
    await Promise.race([probe({ signal: abort.signal }), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
