import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { Command } from '../cli/command.ts';
import type { Change } from '../contract/change.ts';
import { changesOf } from '../contract/changes.ts';
import { contractOf, contractText, parseContract, type Contract } from '../contract/contract.ts';
import { listOffered } from '../server/offered.ts';
import { openServer } from '../server/open-server.ts';
import { parseServerArgs, requireTarget, serverOptions } from '../server/server-options.ts';

const options = {
  file: {
    type: 'string',
    value: '<path>',
    default: 'mcp-lock.json',
    description: 'The lock, which is committed.',
  },
  write: { type: 'boolean', description: 'Writes it down; without it, the lock is only compared.' },
  'accept-breaking': { type: 'boolean', description: 'With --write: also when clients may fail.' },
} as const;

/** `mcp-tools lock`: what clients rely on, in a file that is committed. */
export const lockCommand: Command = {
  summary:
    'Compares what a server offers with its lock, line by line. A change that breaks clients is written only with --accept-breaking.',
  options: { ...options, ...serverOptions },
  found: 'the server differs from its lock, a breaking change was not written, or the command failed',
  async run(args, context) {
    const { values, target } = parseServerArgs(args, options);
    await using server = await openServer(requireTarget(target), context.version);
    const now = contractOf(await listOffered(server.client));
    const path = resolve(context.directory, values.file);
    const locked = await readLock(path);
    const changes = locked === undefined ? [] : changesOf(locked, now);
    context.stdout.write(changes.map(lineOf).join(''));

    if (values.write !== true) {
      const state = locked === undefined ? `There is no lock ${path}: run with --write.` : stateOf(changes);
      context.stdout.write(`${state}\n`);
      return locked !== undefined && changes.length === 0 ? 0 : 1;
    }
    if (changes.some(({ level }) => level === 'breaking') && values['accept-breaking'] !== true) {
      context.stdout.write(
        'Not written: clients may fail. Give a renamed tool its old name in formerNames, keep what was taken, or run with --accept-breaking and say so in the changelog.\n',
      );
      return 1;
    }
    await writeFile(path, contractText(now));
    context.stdout.write(`Wrote ${path}.\n`);
    return 0;
  },
};

function stateOf(changes: readonly Change[]): string {
  const breaking = changes.filter(({ level }) => level === 'breaking').length;
  return changes.length === 0
    ? 'The server is as its lock says.'
    : `${changes.length} changes, of which ${breaking} break clients. Write them down with --write.`;
}

const MARKS: Readonly<Record<Change['level'], string>> = { breaking: '!', compatible: '+', wording: '~' };

function lineOf({ level, where, what }: Change): string {
  return `${MARKS[level]} ${where} ${what}${level === 'breaking' ? ' (breaking)' : ''}\n`;
}

/** @throws {Error} for a file that is no lock. */
async function readLock(path: string): Promise<Contract | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  const lock = parseContract(text);
  if (lock === undefined) {
    throw new Error(`${path} is no lock that this version of mcp-tools reads`);
  }
  return lock;
}
