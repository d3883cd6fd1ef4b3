import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs npm, pnpm or git, and returns what it prints. @throws {Error} with all that it has printed. */
export async function command(program: string, arguments_: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run(program, arguments_, {
    cwd,
    // On Windows these are scripts, which need a shell.
    shell: process.platform === 'win32',
    maxBuffer: 2 ** 26,
    // What npm and pnpm hand on when they run the tests is about this workspace.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^p?npm_/iu.test(name))),
  }).catch((cause: { readonly stdout: string; readonly stderr: string }) => {
    const call = [program, ...arguments_].join(' ');
    throw new Error(`${call}\n${cause.stdout}${cause.stderr}`, { cause });
  });
  return stdout;
}
