import type { Logger } from '@mcp-parts/tool-kit';

import { planShutdown, type ShutdownOptions } from '../server/shutdown-budget.ts';
import { isStopped, Stopped } from '../server/stopped.ts';
import { SettingsError } from './settings.ts';

/** What a program does from start to end. */
export interface ProgramOptions extends Pick<ShutdownOptions, 'terminationGraceMs'> {
  readonly name: string;
  /**
   * How long whoever sends SIGINT, or a second signal, waits before the process is killed, in milliseconds. @default SIGINT
   * is as any other signal, and a second one ends the process at once
   */
  readonly interruptGraceMs?: number | undefined;
  readonly logger: Logger;
}

/** What a program is told of its end. */
export interface StopSignals {
  /** Aborts when the program should clean up and return. */
  readonly signal: AbortSignal;
  /** Aborts when nothing may be waited for any more; only with `interruptGraceMs`. */
  readonly urgent: AbortSignal;
}

/**
 * Ctrl-C, `kill`, a closed terminal, and Ctrl-Break of Windows. Windows ends a process ten seconds after it closes its
 * console, and has no way to send the second.
 */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;

const FAILED = 1;
const WRONG_USAGE = 2;
/** The end of the process itself. */
const EXIT_MS = 150;

/**
 * Runs a program until it returns. SIGINT, SIGTERM, SIGHUP and SIGBREAK abort its signal, on which it should clean up and
 * return; a second one ends the process at once, as does a clean-up that takes longer than the shutdown has. Sets
 * the exit code: 0 after a clean end, 2 after a `SettingsError`, 1 otherwise, with one sentence on standard error.
 *
 * @throws {RangeError} when `terminationGraceMs` is out of its range.
 */
export async function runProgram(
  program: (signals: StopSignals) => Promise<void>,
  { name, logger, terminationGraceMs, interruptGraceMs }: ProgramOptions,
): Promise<void> {
  const { budgetMs } = planShutdown({ terminationGraceMs });
  const stop = new AbortController();
  const urgent = new AbortController();
  const endWithin = (timeoutMs: number) =>
    setTimeout(() => {
      logger.error({ budgetMs: timeoutMs }, 'not stopped in time: giving up');
      process.exit(1);
    }, timeoutMs).unref();

  const onSignal = (signal: NodeJS.Signals) => {
    const isSecond = stop.signal.aborted;
    if (isSecond && interruptGraceMs === undefined) {
      logger.error({ signal }, 'second signal: stopping without cleaning up');
      process.exit(1);
    }
    if (!isSecond) {
      logger.info({ signal }, 'stopping');
      endWithin(budgetMs);
    }
    if (interruptGraceMs !== undefined && (isSecond || signal === 'SIGINT') && !urgent.signal.aborted) {
      endWithin(interruptGraceMs - EXIT_MS);
      urgent.abort(new Stopped());
    }
    stop.abort(new Stopped());
  };
  for (const signal of STOP_SIGNALS) {
    process.on(signal, onSignal);
  }
  try {
    await program({ signal: stop.signal, urgent: urgent.signal });
    process.exit(0);
  } catch (error) {
    if (isStopped(error)) {
      process.exit(0);
    }
    tell(name, error, logger);
    process.exit(error instanceof SettingsError ? WRONG_USAGE : FAILED);
  }
}

/** The person who started the program reads a sentence; where it failed is for whoever debugs it. */
function tell(name: string, error: unknown, logger: Logger): void {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  logger.error({ code, reason }, 'stopped by an error');
  logger.debug({ err: error }, 'where the error came from');
  process.stderr.write(`${name} failed: ${reason}\n`);
}
