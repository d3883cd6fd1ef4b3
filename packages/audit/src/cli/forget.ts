import { parseArgs } from 'node:util';

import { openPersonalKeys } from '../privacy/personal-keys.ts';
import { required, type Command } from './usage/command.ts';

const options = {
  keys: { type: 'string', value: '<path>', description: 'The directory of the personal keys.' },
  actor: { type: 'string', value: '<id>', description: "The person's id, as in the trail." },
} as const;

/** Makes what was sealed for a person unreadable. */
export const forgetCommand: Command = {
  summary: "Destroys a person's key, so that name and e-mail address cannot be read any more.",
  options,
  found: 'there was no key',
  async run(args, { stdout }) {
    const { values } = parseArgs({ args, options });
    const keys = await openPersonalKeys(required('--keys', values.keys));
    const wasThere = await keys.destroy(required('--actor', values.actor));
    stdout.write(wasThere ? 'The key is destroyed.\n' : 'There is no key for that actor.\n');
    return wasThere ? 0 : 1;
  },
};
