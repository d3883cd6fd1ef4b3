import type { Logger } from '@mcp-parts/tool-kit';

/** What a program does from start to end. */
export interface ProgramOptions {
  readonly logger: Logger;
  /** The longest that the end may take after a signal, in milliseconds. @default 28_000 */
  readonly graceMs?: number | undefined;
}

/**
 * Runs a program until it returns. SIGINT and SIGTERM abort its signal, on which it should clean up and
 * return; a second one, or the end of the grace period, ends the process at once. Sets the exit code: 0 after
 * a clean end, 1 otherwise.
 */
export async function runProgram(
  program: (signal: AbortSignal) => Promise<void>,
  { logger, graceMs = 28_000 }: ProgramOptions,
): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      logger.error({ signal: name }, 'second signal: stopping without cleaning up');
      process.exit(1);
    }
    logger.info({ signal: name }, 'stopping');
    stop.abort();
    setTimeout(() => {
      logger.error({ graceMs }, 'not stopped in time: giving up');
      process.exit(1);
    }, graceMs).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await program(stop.signal);
    process.exit(0);
  } catch (error) {
    logger.error({ err: error }, 'stopped by an error');
    process.exit(1);
  }
}
