import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that tests start, and where it comes from. */
export interface ServiceProgram {
  /** Its file's name, such as `slapd`. */
  readonly program: string;
  /** What to install to have it on Debian. */
  readonly debianPackage: string;
}

/** Not in the PATH of everybody. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The path of a program; `undefined` when it is not installed, after a line on stderr that says how to install it.
 * @throws {Error} when it is not installed and REQUIRE_SERVICES is 1
 */
export function findService({ program, debianPackage }: ServiceProgram): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_DIRECTORIES];
  const path = directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, program))
    .find(isExecutable);
  if (path !== undefined) {
    return path;
  }
  const advice = `${program} is not installed (Debian: apt-get install ${debianPackage})`;
  if (process.env['REQUIRE_SERVICES'] === '1') {
    throw new Error(advice);
  }
  process.stderr.write(`skipped: ${advice}\n`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run: the next directory may have one.
    return false;
  }
}
