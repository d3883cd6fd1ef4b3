import type { LongRunning } from '../definition/long-running.ts';

/** The names of the tools beside a long-running one. */
export function companionNames(name: string, { statusTool, cancelTool }: LongRunning<never>) {
  return {
    statusTool: statusTool?.name ?? `${name}_status`,
    cancelTool: cancelTool?.name ?? `${name}_cancel`,
  };
}
