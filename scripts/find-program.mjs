import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const disk = { exists: existsSync, read: (file) => readFileSync(file, 'utf8'), join };

/**
 * The command line that runs a program of PATH: its name, but on Windows, where npm installs a `.cmd` file beside a
 * script. Node starts that only through a shell, which would read the arguments; so it is the script that is run.
 * Undefined when Windows has no such program.
 *
 * `files` stands in for the disk in tests.
 */
export function findProgram(name, { platform = process.platform, folders, files = disk }) {
  if (platform !== 'win32') {
    return [name];
  }
  for (const folder of folders) {
    const executable = files.join(folder, `${name}.exe`);
    if (files.exists(executable)) {
      return [executable];
    }
    const script = findScript(name, folder, files);
    if (script !== undefined) {
      const [node] = findProgram('node', { platform, folders, files }) ?? [process.execPath];
      return [node, script];
    }
  }
  return undefined;
}

/** The script of the package that has this name, where npm and pnpm keep what they link from `folder`. */
function findScript(name, folder, { exists, read, join: joined }) {
  // `node_modules/.bin` of a project; the folder of global installations, in which node.exe may be.
  for (const modules of [joined(folder, '..'), joined(folder, 'node_modules')]) {
    const manifest = joined(modules, name, 'package.json');
    if (exists(manifest)) {
      const { bin } = JSON.parse(read(manifest));
      const script = typeof bin === 'string' ? bin : bin?.[name];
      return script === undefined ? undefined : joined(modules, name, script);
    }
  }
  return undefined;
}
