import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { projectFiles } from './files/project-files.ts';
import { readManifest, TEMPLATE_FOLDER } from './own-files.ts';
import { UsageError, type ProjectOptions } from './project-options.ts';

/**
 * Writes a new project into a folder that is empty or not there, and installs nothing. Returns the paths of its files.
 *
 * @throws {UsageError} when an option is wrong, or the folder has something in it.
 */
export async function createProject(folder: string, options: ProjectOptions): Promise<readonly string[]> {
  const files = await projectFiles(options, TEMPLATE_FOLDER, await readManifest());
  await mkdir(folder, { recursive: true });
  const present = (await readdir(folder)).filter((name) => name !== '.git');
  if (present.length > 0) {
    throw new UsageError(`${folder} is not empty: it has ${present[0]}`);
  }
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return [...files.keys()].toSorted();
}
