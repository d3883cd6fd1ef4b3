import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { auditCheckpointSchema, type AuditCheckpoint } from '../chain/checkpoint.ts';
import { PUBLIC_KEY_FILE } from '../chain/signing.ts';
import { safeJson } from '../event/safe-json.ts';
import { parseJson } from '../parse-json.ts';
import { segmentName } from '../segments/segment-header.ts';
import { verifyTrail, type TrailFinding, type TrailVerification } from '../segments/verify-trail.ts';
import { required, UsageError, type CliContext, type Command } from './command.ts';
import { writeTable } from './output/terminal.ts';
import { findTrails, trailOptions } from './read-trail.ts';

const options = {
  ...trailOptions,
  'public-key': {
    type: 'string',
    multiple: true,
    default: [],
    value: '<file>',
    description: 'A public key of the trail, as PEM; may be given again. Default: the key beside the trail.',
  },
  anchor: {
    type: 'string',
    value: '<file>',
    description: 'The last checkpoint that the collector has, as JSON; shows whether the end was cut off.',
  },
} satisfies Command['options'];

/** Proves a trail, or shows where it is broken. */
export const verifyCommand: Command = {
  summary: 'Checks chain and signatures of trails offline, and says where each one first breaks.',
  options,
  found: 'something is broken, or a trail cannot be read',
  async run(args, context) {
    const { values } = parseArgs({ args, options });
    const isIntact = await verify(
      {
        trails: await findTrails(required('--directory', values.directory)),
        publicKeyFiles: values['public-key'],
        anchorFile: values.anchor,
        json: values.json ?? false,
      },
      context,
    );
    return isIntact ? 0 : 1;
  },
};

interface VerifyOptions {
  readonly trails: readonly string[];
  /** Files that hold public keys as PEM. Without one, the key that lies beside a trail is taken. */
  readonly publicKeyFiles: readonly string[];
  /** A file that holds the last checkpoint that the collector has, as JSON. */
  readonly anchorFile: string | undefined;
  readonly json: boolean;
}

const MEANINGS: Readonly<Record<TrailFinding['code'], string>> = {
  damaged_record: 'the bytes are not what was written',
  broken_link: 'does not follow the record before it: something was removed, added or moved',
  broken_chain: 'the server met damage here and began a new chain',
  bad_signature: 'not signed with the given key, or not for this chain',
  missing_segments: 'the trail does not begin at its beginning, and no tombstone says why',
  missing_end: 'the anchor is not in the trail: its end was cut off',
};

/** Returns whether all are intact. */
async function verify(options: VerifyOptions, { stdout }: CliContext): Promise<boolean> {
  const given = await Promise.all(options.publicKeyFiles.map(publicKeyIn));
  const anchor = options.anchorFile === undefined ? undefined : await anchorIn(options.anchorFile);
  let isIntact = true;
  for (const trail of options.trails) {
    const beside = given.length > 0 ? undefined : await keyBeside(trail);
    const keys = beside === undefined ? given : [beside];
    const verification = await verifyTrail({
      directory: trail,
      publicKey: keys.length > 0 ? keys : undefined,
      anchor,
    });
    isIntact &&= verification.isIntact;
    const key = given.length > 0 ? 'given' : beside === undefined ? 'none' : 'beside';
    if (options.json) {
      stdout.write(`${safeJson({ trail, key, ...verification })}\n`);
    } else {
      show(trail, key, verification, stdout);
    }
  }
  return isIntact;
}

function show(
  trail: string,
  key: 'given' | 'beside' | 'none',
  { isIntact, findings, events, checkpoints, unsignedEvents, tornBytes }: TrailVerification,
  stdout: CliContext['stdout'],
): void {
  const verdict = isIntact
    ? ({ text: 'intact', colour: 'green' } as const)
    : ({ text: 'BROKEN', colour: 'red' } as const);
  const counted = `${events} events, ${checkpoints} checkpoints, ${unsignedEvents} events not signed yet`;
  writeTable(stdout, [[verdict, { text: trail }, { text: counted }]]);
  const notes = findings.map(({ code, segment, line, offset, afterSequence }) =>
    segment === 0
      ? `after sequence ${afterSequence}: ${MEANINGS[code]}`
      : `${segmentName(segment)} line ${line}, byte ${offset}, after sequence ${afterSequence}: ${MEANINGS[code]}`,
  );
  if (tornBytes > 0) {
    notes.push(`${tornBytes} bytes at the end are a write under way, or one that was cut short`);
  }
  if (key === 'beside') {
    notes.push(
      'the key lay beside the trail: whoever can write there can sign; give --public-key from elsewhere',
    );
  }
  if (key === 'none') {
    notes.push('no public key: links were checked, signatures were not');
  }
  for (const note of notes) {
    writeTable(stdout, [[{ text: '' }, { text: note }]]);
  }
}

async function keyBeside(trail: string): Promise<KeyObject | undefined> {
  try {
    return createPublicKey(await readFile(join(trail, PUBLIC_KEY_FILE)));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

async function publicKeyIn(path: string): Promise<KeyObject> {
  const pem = await readFile(path);
  try {
    return createPublicKey(pem);
  } catch {
    throw new UsageError(`${path} holds no public key`);
  }
}

async function anchorIn(path: string): Promise<AuditCheckpoint> {
  const text = await readFile(path, 'utf8');
  try {
    return auditCheckpointSchema.parse(parseJson(text));
  } catch {
    throw new UsageError(`${path} holds no checkpoint`);
  }
}
