/** Checks one thing that the server cannot work without; rejects when it is not there. */
export type Probe = (options: { readonly signal: AbortSignal }) => Promise<void>;

/** What the readiness endpoint answers: names and states, nothing internal. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, 'ok' | 'failed'>>;
}

/**
 * Asks all probes at once, each for at most `timeoutMs`. Callers that come while a round runs share its
 * answer, so that frequent checks do not become load on the backends.
 */
export function createReadiness(
  probes: Readonly<Record<string, Probe>>,
  onFailure: (name: string, error: unknown) => void,
  timeoutMs = 5_000,
): () => Promise<Readiness> {
  let round: Promise<Readiness> | undefined;

  async function ask(): Promise<Readiness> {
    const answers = await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => {
        try {
          await within(timeoutMs, probe);
          return [name, 'ok'] as const;
        } catch (error) {
          onFailure(name, error);
          return [name, 'failed'] as const;
        }
      }),
    );
    return { ready: answers.every(([, state]) => state === 'ok'), checks: Object.fromEntries(answers) };
  }

  return () => {
    round ??= ask().finally(() => {
      round = undefined;
    });
    return round;
  };
}

/** Gives up on time, also on a probe that ignores its signal. */
async function within(timeoutMs: number, probe: Probe): Promise<void> {
  const abort = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new Error(`no answer within ${timeoutMs} ms`);
    abort.abort(error);
    late.reject(error);
  }, timeoutMs);
  try {
    await Promise.race([probe({ signal: abort.signal }), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
