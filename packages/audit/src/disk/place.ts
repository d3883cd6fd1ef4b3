import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import type { Logger } from '../logger.ts';
import { READ_WITHOUT_WAIT, type AuditFileSystem } from './file-system.ts';
import { platformFiles } from './platform-files.ts';

const FILE = 'place';

/** What stays with the directory of a writer; everything else in it is the writer's past. */
const STAYS = /^(?:lock\.db.*|reserve|probe\.tmp|place.*|signing-key.*|restored-.*)$/u;

/** Where a directory that is read was written, as far as its file system tells. */
type Place =
  | { readonly state: 'new' | 'same' }
  /** The directory is a copy: `writtenAt` names the place that it was copied from. */
  | { readonly state: 'copied'; readonly writtenAt: string };

/**
 * Sets the past of a directory that is a copy, or was restored from a backup, aside: its writer may have gone on elsewhere.
 * Returns the name of the folder that has it; `undefined` when the files lie where they were written.
 */
export async function keepPlace({
  directory,
  fileSystem,
  logger,
}: {
  readonly directory: string;
  readonly fileSystem: AuditFileSystem;
  readonly logger: Logger;
}): Promise<string | undefined> {
  const place = lookAtPlace(directory);
  if (place.state === 'same') {
    return undefined;
  }
  const folder =
    place.state === 'copied' ? await setPastAside(directory, fileSystem, place.writtenAt) : undefined;
  settlePlace(directory);
  if (folder !== undefined) {
    logger.error({ directory, folder }, 'audit trail is a copy: set aside, and a new writer begins');
  }
  return folder;
}

/**
 * Tells whether the files of a directory still lie where they were written. A file knows its own inode and birth, which
 * a copy of it does not have: two writers that go on from one past would give the same numbers to different events.
 * A snapshot of the whole disk has them, too; {@link forgetPlace} is for those.
 */
function lookAtPlace(directory: string): Place {
  const path = join(directory, FILE);
  let file: number;
  try {
    file = openSync(path, READ_WITHOUT_WAIT);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { state: 'new' };
    }
    throw error;
  }
  try {
    if (!fstatSync(file).isFile()) {
      throw new Error(`${path} is not a regular file`);
    }
    const writtenAt = readFileSync(file, 'utf8').trim();
    return isWrittenBy(file, writtenAt) ? { state: 'same' } : { state: 'copied', writtenAt };
  } finally {
    closeSync(file);
  }
}

/** Says durably that the files of a directory belong here. */
function settlePlace(directory: string): void {
  writePlace(directory, identityOf);
}

/** Makes the next start treat the directory as a copy. */
export function forgetPlace(directory: string): void {
  writePlace(directory, () => `renewed-${Date.now()}`);
}

/**
 * Moves everything that an earlier writer left into one folder of the directory, whose name it returns: what is in there
 * can be verified and replayed, and nothing is added to it. May be interrupted and begun again.
 */
async function setPastAside(
  directory: string,
  fileSystem: AuditFileSystem,
  writtenAt: string,
): Promise<string> {
  const name = `restored-${writtenAt.replaceAll(/[^\w-]/gu, '').slice(0, 64)}`;
  const folder = join(directory, name);
  await fileSystem.makeDirectory(folder);
  for (const file of await fileSystem.list(directory)) {
    if (!STAYS.test(file)) {
      await fileSystem.rename(join(directory, file), join(folder, file));
    }
  }
  await fileSystem.syncDirectory(folder);
  await fileSystem.syncDirectory(directory);
  return name;
}

function writePlace(directory: string, textOf: (file: number) => string): void {
  const path = join(directory, FILE);
  const temporary = `${path}.tmp`;
  rmSync(temporary, { force: true });
  // The file that is renamed keeps its inode, so it can be asked for it before.
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, textOf(file));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function identityOf(file: number): string {
  const { ino, birthtimeNs } = fstatSync(file, { bigint: true });
  // An inode alone is soon given to another file, such as the restored one.
  return platformFiles.hasBirths ? `${ino}-${birthtimeNs}` : String(ino);
}

function isWrittenBy(file: number, writtenAt: string): boolean {
  const { ino, birthtimeNs } = fstatSync(file, { bigint: true });
  const [inode, birth] = writtenAt.split('-');
  const isSameBirth = !platformFiles.hasBirths || birth === undefined || birth === String(birthtimeNs);
  return inode === String(ino) && isSameBirth;
}
