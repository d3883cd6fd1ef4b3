import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A child process that writes to a trail without pause and reports each event the trail acknowledged. */
export interface WriterProcess {
  /** The ids of the intents whose begin() resolved, as far as they were reported. */
  readonly ids: readonly string[];
  /** Waits until at least `count` events were acknowledged; rejects when the process ends or the signal aborts before. */
  readonly acknowledged: (count: number, signal?: AbortSignal) => Promise<void>;
  /** Kills it with SIGKILL and waits for its last report. */
  readonly kill: () => Promise<void>;
}

export async function startWriter(directory: string, collectorUrl = ''): Promise<WriterProcess> {
  const program = fileURLToPath(new URL('./writer-program.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions', '@mcp-parts/source', program, directory, collectorUrl],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ids: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    // A line cut by the kill was not reported in full.
    if (line.length === 36) {
      ids.push(line);
    }
  });
  const ended = Promise.all([once(child, 'close'), once(lines, 'close')]);
  return {
    ids,
    async acknowledged(count, signal) {
      const isClosed = ended.then(() => true);
      while (ids.length < count) {
        const line = once(lines, 'line', signal && { signal }).then(() => false);
        if (await Promise.race([line, isClosed])) {
          throw new Error('The writer ended by itself');
        }
      }
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
