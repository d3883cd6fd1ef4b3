import type { Logger } from '@mcp-parts/tool-kit';

import { planShutdown, type ShutdownOptions } from '../server/shutdown-budget.ts';

/** What a program does from start to end. */
export interface ProgramOptions extends Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly logger: Logger;
}

/**
 * Ctrl-C, `kill`, a closed terminal, and Ctrl-Break of Windows. Windows ends a process ten seconds after it closes its
 * console, and has no way to send the second.
 */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;

/**
 * Runs a program until it returns. SIGINT, SIGTERM, SIGHUP and SIGBREAK abort its signal, on which it should clean up and
 * return; a second one ends the process at once, as does a clean-up that takes longer than the shutdown has. Sets
 * the exit code: 0 after a clean end, 1 otherwise.
 *
 * @throws {RangeError} when `terminationGraceMs` is out of its range.
 */
export async function runProgram(
  program: (signal: AbortSignal) => Promise<void>,
  { logger, terminationGraceMs }: ProgramOptions,
): Promise<void> {
  const { budgetMs } = planShutdown({ terminationGraceMs });
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      logger.error({ signal: name }, 'second signal: stopping without cleaning up');
      process.exit(1);
    }
    logger.info({ signal: name }, 'stopping');
    stop.abort();
    setTimeout(() => {
      logger.error({ budgetMs }, 'not stopped in time: giving up');
      process.exit(1);
    }, budgetMs).unref();
  };
  for (const name of STOP_SIGNALS) {
    process.on(name, onSignal);
  }
  try {
    await program(stop.signal);
    process.exit(0);
  } catch (error) {
    logger.error({ err: error }, 'stopped by an error');
    process.exit(1);
  }
}
