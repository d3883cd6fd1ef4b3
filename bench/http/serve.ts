// One server in a process of its own; it answers what is asked over IPC.
import { readdirSync, readlinkSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

import type { ServerName } from './contenders.ts';
import type { CpuProfile } from './profile.ts';

/** What the process can be asked, and what it answers. */
export interface Answers {
  readonly usage: Usage;
  /** The same after a garbage collection. */
  readonly collected: Usage;
  readonly startProfile: undefined;
  readonly stopProfile: CpuProfile;
}

export type Question = keyof Answers;

/** What the process has used and holds. */
export interface Usage {
  /** User and system time of all threads, in microseconds. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** Heap and what it keeps alive outside of it. */
  readonly heldBytes: number;
  /** Open file descriptors, and those of them that are sockets. 0 where the system does not tell. */
  readonly descriptors: number;
  readonly sockets: number;
}

/** How each server starts: in `folder` it may keep state; it takes the tokens of `issuer`. Returns its endpoint. */
export type StartServer = (options: { readonly issuer: string; readonly folder: string }) => Promise<string>;

const servers: Record<ServerName, () => Promise<StartServer>> = {
  floor: async () => (await import('./servers/floor.ts')).start,
  'sdk-1-session': async () => (await import('./servers/sdk-1.ts')).startWithSessions,
  'sdk-1-stateless': async () => (await import('./servers/sdk-1.ts')).startStateless,
  'sdk-2': async () => (await import('./servers/sdk-2.ts')).start,
  fastmcp: async () => (await import('./servers/fastmcp.ts')).start,
  production: async () => (await import('./servers/production.ts')).start,
  'ours-bare': async () => (await import('./servers/ours.ts')).startBare,
  'ours-no-token': async () => (await import('./servers/ours.ts')).startWithoutToken,
  'ours-everything': async () => (await import('./servers/ours.ts')).startEverything,
  'ours-soak': async () => (await import('./servers/ours.ts')).startForSoak,
};

const [, , name = 'floor', issuer = '', folder = ''] = process.argv;
const inspector = new Session();
// Whoever starts this process passes a name of the list.
const start = await servers[name as ServerName]();
const url = await start({ issuer, folder });
process.on('message', (question: Question) => {
  void answer(question).then((value) => process.send?.(value ?? 'done'));
});
process.on('disconnect', () => process.exit());
process.send?.({ url });

async function answer(question: Question): Promise<Answers[Question]> {
  switch (question) {
    case 'usage':
      return usage();
    case 'collected':
      // Twice, and apart: what is freed by finalizers goes in the second.
      globalThis.gc?.();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      globalThis.gc?.();
      return usage();
    case 'startProfile':
      inspector.connect();
      await inspector.post('Profiler.enable');
      await inspector.post('Profiler.setSamplingInterval', { interval: 200 });
      await inspector.post('Profiler.start');
      return undefined;
    case 'stopProfile':
      return (await inspector.post('Profiler.stop')).profile;
    default:
      return question satisfies never;
  }
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const open = openDescriptors();
  return {
    cpuMicros: user + system,
    rssBytes: rss,
    heldBytes: heapUsed + external,
    descriptors: open.length,
    sockets: open.filter((target) => target.startsWith('socket:')).length,
  };
}

function openDescriptors(): readonly string[] {
  try {
    return readdirSync('/proc/self/fd').flatMap((descriptor) => {
      try {
        return [readlinkSync(`/proc/self/fd/${descriptor}`)];
      } catch {
        // The one that the folder was read with.
        return [];
      }
    });
  } catch {
    // Not Linux.
    return [];
  }
}
