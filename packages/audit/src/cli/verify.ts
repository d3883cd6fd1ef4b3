import { createPublicKey, type KeyObject } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { auditCheckpointSchema, type AuditCheckpoint } from '../chain/checkpoint.ts';
import { publicKeysBeside } from '../chain/signing.ts';
import { nodeFileSystem } from '../disk/file-system.ts';
import { safeJson } from '../event/safe-json.ts';
import { parseJson } from '../parse-json.ts';
import { segmentName } from '../segments/segment-header.ts';
import type { TrailFinding, TrailVerification } from '../verify/finding.ts';
import { verifyTrail } from '../verify/verify-trail.ts';
import { writeTable } from './output/terminal.ts';
import { parseTime } from './trail/filter.ts';
import { findExpectedTrails, trailOptions } from './trail/read-trail.ts';
import { required, UsageError, type CliContext, type Command } from './usage/command.ts';

const options = {
  ...trailOptions,
  'public-key': {
    type: 'string',
    multiple: true,
    default: [],
    value: '<path>',
    description:
      'A public key of the trail, as PEM, or a directory of such files; may be given again. Default: the keys beside the trail.',
  },
  anchor: {
    type: 'string',
    multiple: true,
    default: [],
    value: '<path>',
    description:
      'A file with the last checkpoint that somebody else has, or a directory of them; may be given again. Shows whether an end was cut off, or a trail is gone.',
  },
  'seen-at': {
    type: 'string',
    value: '<time>',
    description: 'When a copy was made: until then its last events may be unsigned. Default: now.',
  },
} satisfies Command['options'];

/** Proves a trail, or shows where it is broken. */
export const verifyCommand: Command = {
  summary: 'Checks chain and signatures of trails offline, and says where each one first breaks.',
  options,
  found: 'something is broken or missing, or a trail cannot be read',
  async run(args, context) {
    const { values } = parseArgs({ args, options });
    const directory = required('--directory', values.directory);
    const { 'seen-at': seenAt, 'public-key': keyPaths } = values;
    const isIntact = await verify(
      {
        trails: await findExpectedTrails(directory),
        keys: (await Promise.all(keyPaths.map(publicKeysIn))).flat(),
        anchors: await anchorsIn(values.anchor),
        seenAt: seenAt === undefined ? context.now() : parseTime('--seen-at', seenAt, context.now()),
        json: values.json ?? false,
      },
      context,
    );
    return isIntact ? 0 : 1;
  },
};

interface VerifyOptions {
  readonly trails: readonly string[];
  /** Without one, the keys that lie beside a trail are taken. */
  readonly keys: readonly KeyObject[];
  /** The last one of each writer; each must have its trail, and each trail one. */
  readonly anchors: readonly AuditCheckpoint[] | undefined;
  readonly seenAt: number;
  readonly json: boolean;
}

/** Where the keys came from. */
type KeySource = 'given' | 'beside' | 'none';

const MEANINGS: Readonly<Record<TrailFinding['code'], string>> = {
  damaged_record: 'the bytes are not what was written',
  broken_link: 'does not follow the record before it: something was removed, added or moved',
  broken_chain: 'the server could not go on with the chain here and began a new one',
  bad_signature: 'not signed with the given key, or not for this chain',
  unsigned: 'more events have no signature, or for longer, than the server leaves any: it did not write them',
  missing_segments: 'the trail does not begin at its beginning, and no tombstone says why',
  missing_end: 'the anchor is not in the trail: its end was cut off, or it was rebuilt',
  bad_anchor: 'no anchor belongs to this trail, or it was not signed with the given key',
  not_delivered: 'what a sink was given, says its cursor, is not what is in the trail',
  missing_trail: 'there is no trail here',
};

/** Returns whether all are intact. */
async function verify(options: VerifyOptions, { stdout }: CliContext): Promise<boolean> {
  const { anchors, seenAt, json } = options;
  const found = new Set<string>();
  let isIntact = true;
  for (const trail of options.trails) {
    const { keys, source } = await keysFor(trail, options.keys);
    const publicKey = keys.length > 0 ? keys : undefined;
    const verification = await verifyTrail({ directory: trail, publicKey, anchor: anchors, seenAt });
    isIntact &&= verification.isIntact;
    found.add(verification.writerId ?? '');
    if (json) {
      stdout.write(`${safeJson({ trail, key: source, ...verification })}\n`);
    } else {
      show(trail, source, verification, stdout);
    }
  }
  for (const { writerId, sequence } of anchors ?? []) {
    if (found.has(writerId)) {
      continue;
    }
    isIntact = false;
    if (json) {
      stdout.write(`${safeJson({ writerId, sequence, isIntact: false })}\n`);
    } else {
      const lost = { text: `the trail of writer ${writerId}, anchored at sequence ${sequence}, is not here` };
      writeTable(stdout, [[{ text: 'BROKEN', colour: 'red' }, lost]]);
    }
  }
  return isIntact;
}

async function keysFor(
  trail: string,
  given: readonly KeyObject[],
): Promise<{ readonly keys: readonly KeyObject[]; readonly source: KeySource }> {
  if (given.length > 0) {
    return { keys: given, source: 'given' };
  }
  try {
    const keys = await publicKeysBeside(trail, nodeFileSystem);
    return { keys, source: keys.length > 0 ? 'beside' : 'none' };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { keys: [], source: 'none' };
    }
    throw error;
  }
}

function show(
  trail: string,
  source: KeySource,
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
  if (source === 'beside') {
    notes.push(
      'the key lay beside the trail: whoever can write there can sign; give --public-key from elsewhere',
    );
  }
  if (source === 'none') {
    notes.push('no public key: links were checked, signatures were not');
  }
  for (const note of notes) {
    writeTable(stdout, [[{ text: '' }, { text: note }]]);
  }
}

async function publicKeysIn(path: string): Promise<KeyObject[]> {
  const files = await filesIn(path, '.pem');
  return Promise.all(
    files.map(async (file) => {
      try {
        return createPublicKey(await readFile(file));
      } catch {
        throw new UsageError(`${file} holds no public key`);
      }
    }),
  );
}

/** Every file may hold one anchor or several, each on a line of its own. */
async function anchorsIn(paths: readonly string[]): Promise<readonly AuditCheckpoint[] | undefined> {
  if (paths.length === 0) {
    return undefined;
  }
  const files = (await Promise.all(paths.map((path) => filesIn(path, '.json')))).flat();
  const anchors = new Map<string, AuditCheckpoint>();
  for (const file of files) {
    for (const anchor of parseAnchors(file, await readFile(file, 'utf8'))) {
      const known = anchors.get(anchor.writerId);
      if (known === undefined || known.sequence <= anchor.sequence) {
        anchors.set(anchor.writerId, anchor);
      }
    }
  }
  if (anchors.size === 0) {
    throw new UsageError(`${paths.join(', ')} holds no checkpoint`);
  }
  return [...anchors.values()];
}

function parseAnchors(file: string, text: string): AuditCheckpoint[] {
  try {
    return [auditCheckpointSchema.parse(parseJson(text))];
  } catch {
    // Not one document: a line for each.
  }
  try {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.map((line) => auditCheckpointSchema.parse(parseJson(line)));
  } catch {
    throw new UsageError(`${file} holds no checkpoint`);
  }
}

async function filesIn(path: string, extension: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) {
    return [path];
  }
  const files = (await readdir(path))
    .filter((name) => name.endsWith(extension))
    .map((name) => join(path, name));
  for (const file of files) {
    // A pipe that somebody names is meant; one that is found would keep us waiting.
    if (!(await stat(file)).isFile()) {
      throw new UsageError(`${file} is not a regular file`);
    }
  }
  return files;
}
