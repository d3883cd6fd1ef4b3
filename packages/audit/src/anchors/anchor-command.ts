import { spawn } from 'node:child_process';
import { once } from 'node:events';

import type { AuditCheckpoint } from '../chain/checkpoint.ts';
import { checkPath } from '../disk/check-path.ts';
import type { AnchorKeeper } from './anchor-keeper.ts';

/** Which program keeps anchors. */
export interface AnchorCommandOptions {
  /** The program; no shell is asked. It reads one anchor as a line of JSON and ends with 0 once that is kept. */
  readonly command: string;
  /** Its arguments. @default none */
  readonly args?: readonly string[] | undefined;
}

/**
 * Gives each anchor to a program of yours, on its standard input: one that uploads it, prints it or has it witnessed.
 * `keepAnchor` rejects when the program ends with anything but 0, and kills it when its time is up.
 * @throws {TypeError} when there is no program
 */
export function createAnchorCommand({ command, args = [] }: AnchorCommandOptions): AnchorKeeper {
  checkPath('command', command);
  return {
    name: command,
    async keepAnchor(anchor: AuditCheckpoint, { signal }) {
      // Standard output may be the protocol's: what it prints is of no use to anybody.
      const child = spawn(command, [...args], {
        stdio: ['pipe', 'ignore', 'ignore'],
        signal,
        windowsHide: true,
      });
      // A program that reads nothing has its reasons; how it ends is what counts.
      child.stdin.on('error', () => {});
      child.stdin.end(`${JSON.stringify(anchor)}\n`);
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) {
        throw new Error(`${command} ended with ${code ?? 'a signal'}`);
      }
    },
  };
}
