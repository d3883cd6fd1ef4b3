import { parseArgs } from 'node:util';

import { publicKeysBeside } from '../chain/signing.ts';
import { nodeFileSystem } from '../disk/file-system.ts';
import { verifyTrail } from '../verify/verify-trail.ts';
import { findTrails, trailOptions } from './trail/read-trail.ts';
import { errorText, required, type Command } from './usage/command.ts';

const options = { directory: trailOptions.directory } as const;

/** Takes an anchor of a trail. */
export const anchorCommand: Command = {
  summary: 'Writes the last checkpoint of each trail as a line of JSON, for verify --anchor.',
  options,
  found: 'a trail is not intact, or has no checkpoint',
  async run(args, { stdout, stderr, now }) {
    const { values } = parseArgs({ args, options });
    let exitStatus = 0;
    for (const trail of await findTrails(required('--directory', values.directory))) {
      const publicKey = await publicKeysBeside(trail, nodeFileSystem);
      const { lastCheckpoint, isIntact } = await verifyTrail({ directory: trail, publicKey, seenAt: now() });
      if (lastCheckpoint !== undefined) {
        stdout.write(`${JSON.stringify(lastCheckpoint)}\n`);
      }
      if (lastCheckpoint === undefined || !isIntact) {
        const problem = isIntact ? 'has no checkpoint yet' : 'is not intact; run mcp-audit verify';
        stderr.write(errorText(`${trail} ${problem}`, false));
        exitStatus = 1;
      }
    }
    return exitStatus;
  },
};
