import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Ends a process as a crash does, and waits until it is gone. What has ended, or never began, stays as it is. */
export async function endAtOnce(process: ChildProcess | undefined): Promise<void> {
  if (process === undefined || process.exitCode !== null || process.signalCode !== null) {
    return;
  }
  const ended = once(process, 'exit');
  process.kill('SIGKILL');
  await ended;
}
