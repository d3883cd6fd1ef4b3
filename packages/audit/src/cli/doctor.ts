import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { z } from 'zod';

import { nodeFileSystem, readIfPresent } from '../disk/file-system.ts';
import { platformFiles } from '../disk/platform-files.ts';
import { safeJson } from '../event/safe-json.ts';
import { parseJson } from '../parse-json.ts';
import { DEFAULT_MIN_FREE_BYTES } from '../trail-options.ts';
import { writeTable, type Colour } from './output/terminal.ts';
import { findTrails, readEvents, trailOptions } from './trail/read-trail.ts';
import { required, type CliContext, type Command } from './usage/command.ts';

/** Says what is wrong before it matters. */
export const doctorCommand: Command = {
  summary: 'Checks permissions, lock, records, clock, delivery, disk, repairs and quarantine.',
  options: trailOptions,
  found: 'a problem was found, or a trail cannot be read',
  async run(args, context) {
    const { values } = parseArgs({ args, options: trailOptions });
    const findings = new Map<string, readonly Finding[]>();
    for (const trail of await findTrails(required('--directory', values.directory))) {
      findings.set(trail, await examine(trail, context.now()));
    }
    if (values.json === true) {
      for (const [trail, list] of findings) {
        for (const finding of list) {
          context.stdout.write(`${safeJson({ trail, ...finding })}\n`);
        }
      }
    } else {
      showFindings(findings, context);
    }
    return [...findings.values()].flat().some(({ state }) => state === 'problem') ? 1 : 0;
  },
};

/** What was looked at, and what was found. */
interface Finding {
  readonly state: 'ok' | 'warning' | 'problem';
  readonly check: string;
  readonly detail: string;
}

const MAX_CLOCK_LEAD_MS = 5000;
const SQLITE_BUSY = 5;
const COLOURS: Readonly<Record<Finding['state'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
};

const cursorSchema = z.looseObject({ sequence: z.int().nonnegative() });

/** Looks at everything around a trail that can go wrong. Changes nothing; a server may go on writing. */
async function examine(trail: string, now: number): Promise<Finding[]> {
  const names = await readdir(trail);
  const { last, findings } = await examineEvents(trail, now);
  return [
    await examinePermissions(trail, names),
    examineLock(trail, names),
    ...findings,
    ...(await examineCursors(trail, names, last)),
    await examineDisk(trail),
    examineRepairs(names),
    ...(await examineQuarantine(trail, names)),
  ];
}

function showFindings(findings: ReadonlyMap<string, readonly Finding[]>, { stdout }: CliContext): void {
  for (const [trail, list] of findings) {
    writeTable(stdout, [[{ text: trail, colour: 'dim' }]]);
    writeTable(
      stdout,
      list.map(({ state, check, detail }) => [
        { text: state, colour: COLOURS[state] },
        { text: check },
        { text: detail },
      ]),
    );
  }
}

async function examinePermissions(trail: string, names: readonly string[]): Promise<Finding> {
  if (!platformFiles.hasModes) {
    return { state: 'ok', check: 'permissions', detail: 'not examined: they are access lists here' };
  }
  const open: string[] = [];
  for (const path of [trail, ...names.map((name) => join(trail, name))]) {
    const { mode } = await stat(path);
    // The public key is there to be read.
    if ((mode & 0o077) !== 0 && !path.endsWith('.pub.pem')) {
      open.push(path);
    }
  }
  const [first] = open;
  return first === undefined
    ? { state: 'ok', check: 'permissions', detail: 'only the owner can read and write' }
    : {
        state: 'problem',
        check: 'permissions',
        detail: `others have access to ${first}${open.length > 1 ? ` and ${open.length - 1} more` : ''}: chmod go-rwx`,
      };
}

function examineLock(trail: string, names: readonly string[]): Finding {
  if (!names.includes('lock.db')) {
    return { state: 'ok', check: 'lock', detail: 'no writer has opened this copy' };
  }
  // Not an import: bundlers drop the `node:` prefix, without which this module has no name.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(join(trail, 'lock.db'), { readOnly: true });
  try {
    // Only reads, so that it never takes the lock from a server that starts now.
    database.exec('SELECT count(*) FROM sqlite_master');
    return { state: 'ok', check: 'lock', detail: 'free: no server writes to it' };
  } catch (error) {
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
    return isBusy
      ? { state: 'ok', check: 'lock', detail: 'held: a server writes to it' }
      : { state: 'problem', check: 'lock', detail: `lock.db cannot be read: ${String(error)}` };
  } finally {
    database.close();
  }
}

async function examineEvents(trail: string, now: number): Promise<{ last: number; findings: Finding[] }> {
  let [damaged, backwards, last, lastTime] = [0, 0, 0, 0];
  for await (const { event } of readEvents(trail, { onDamage: () => (damaged += 1) })) {
    const time = Date.parse(event.time);
    if (time < lastTime - 1000) {
      backwards += 1;
    }
    lastTime = time;
    last = event.sequence;
  }
  const lead = lastTime - now;
  const findings: Finding[] = [
    damaged === 0
      ? { state: 'ok', check: 'records', detail: `${last} events` }
      : { state: 'problem', check: 'records', detail: `${damaged} damaged: run mcp-audit verify` },
  ];
  if (lead > MAX_CLOCK_LEAD_MS) {
    findings.push({ state: 'problem', check: 'clock', detail: `the last event is ${lead} ms in the future` });
  } else if (backwards > 0) {
    findings.push({
      state: 'warning',
      check: 'clock',
      detail: `went back ${backwards} times; the sequence says what came first`,
    });
  } else {
    findings.push({ state: 'ok', check: 'clock', detail: 'never went back' });
  }
  return { last, findings };
}

async function examineCursors(trail: string, names: readonly string[], last: number): Promise<Finding[]> {
  const cursors = names.filter((name) => /^cursor-.*\.json$/u.test(name));
  if (cursors.length === 0) {
    return [{ state: 'warning', check: 'delivery', detail: 'nothing was delivered to any sink yet' }];
  }
  return Promise.all(
    cursors.map(async (name) => {
      const check = `sink ${name.slice('cursor-'.length, -'.json'.length)}`;
      const cursor = cursorSchema.safeParse(await jsonOf(trail, name));
      if (!cursor.success) {
        return {
          state: 'warning',
          check,
          detail: 'cursor unreadable: everything is sent again at the next start',
        };
      }
      const backlog = last - cursor.data.sequence;
      if (backlog < 0) {
        return { state: 'problem', check, detail: 'has events that are no longer here' };
      }
      return backlog === 0
        ? { state: 'ok', check, detail: 'has every event' }
        : { state: 'warning', check, detail: `waits for ${backlog} events` };
    }),
  );
}

async function examineDisk(trail: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(trail);
  const freeBytes = bavail * bsize;
  const detail = `${Math.floor(freeBytes / (1024 * 1024))} MiB free`;
  return { state: freeBytes < DEFAULT_MIN_FREE_BYTES ? 'problem' : 'ok', check: 'disk', detail };
}

function examineRepairs(names: readonly string[]): Finding {
  const torn = names.filter((name) => name.endsWith('.torn'));
  return torn.length === 0
    ? { state: 'ok', check: 'repairs', detail: 'none' }
    : {
        state: 'warning',
        check: 'repairs',
        detail: `${torn.join(', ')}: cut off after a crash, never acknowledged`,
      };
}

async function examineQuarantine(trail: string, names: readonly string[]): Promise<Finding[]> {
  const files = names.filter((name) => name.startsWith('quarantine-'));
  return Promise.all(
    files.map(async (name) => {
      const events = (await textOf(trail, name)).split('\n').length - 1;
      return {
        state: 'problem',
        check: 'quarantine',
        detail: `${name} holds ${events} events a sink refused`,
      };
    }),
  );
}

/** @throws {Error} for what is no regular file, which could keep us waiting */
async function textOf(trail: string, name: string): Promise<string> {
  return ((await readIfPresent(nodeFileSystem, trail, name)) ?? '').toString();
}

async function jsonOf(trail: string, name: string): Promise<unknown> {
  try {
    return parseJson(await textOf(trail, name));
  } catch {
    // Whatever is wrong with it, it is no cursor.
    return undefined;
  }
}
