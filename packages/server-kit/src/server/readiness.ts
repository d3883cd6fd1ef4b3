/** Checks one thing that the server cannot work without; rejects when it is not there. */
export type Probe = (options: { readonly signal: AbortSignal }) => Promise<void>;

/** Whether a server may get traffic: names and states, nothing internal. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>;
}

/** How long a probe may take. A Kubernetes probe of the server has to wait a little longer than this. */
const PROBE_TIMEOUT_MS = 5_000;

/**
 * Asks all probes at once, each for at most `timeoutMs`. Callers that come while a round runs share its
 * result, so that frequent checks do not become load on the upstreams.
 */
export function createReadiness(
  probes: Readonly<Record<string, Probe>>,
  onFailure: (name: string, error: unknown) => void,
  timeoutMs = PROBE_TIMEOUT_MS,
): () => Promise<Readiness> {
  let round: Promise<Readiness> | undefined;

  async function ask(): Promise<Readiness> {
    const checks = await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => {
        try {
          await callProbe(probe, timeoutMs);
          return [name, 'ok'] as const;
        } catch (error) {
          onFailure(name, error);
          return [name, 'failed'] as const;
        }
      }),
    );
    return { ready: checks.every(([, state]) => state === 'ok'), checks: Object.fromEntries(checks) };
  }

  return () => {
    round ??= ask().finally(() => {
      round = undefined;
    });
    return round;
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
