import { parseArgs } from 'node:util';

import { forgetPlace } from '../disk/place.ts';
import { lockDirectory } from '../disk/writer-lock.ts';
import { required, type Command } from './usage/command.ts';

const options = {
  directory: { type: 'string', value: '<path>', description: 'The directory of one trail.' },
} as const;

/** For a disk that was set back as a whole, which no file in it can tell. */
export const renewCommand: Command = {
  summary:
    'Makes the next start begin a new writer and set the trail aside: for a disk restored from a snapshot.',
  options,
  found: 'a server is running on it',
  async run(args, { stdout }) {
    const { values } = parseArgs({ args, options });
    const directory = required('--directory', values.directory);
    const lock = await lockDirectory(directory);
    try {
      forgetPlace(directory);
    } finally {
      lock.release();
    }
    stdout.write('The next start sets the trail aside and begins a new writer.\n');
    return 0;
  },
};
