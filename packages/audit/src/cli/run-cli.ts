import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { AuditError } from '../errors.ts';
import { safeJson } from '../event/safe-json.ts';
import { openPersonalKeys } from '../privacy/personal-keys.ts';
import { createCollectorSink } from '../sinks/collector-sink.ts';
import { examine, showFindings, type Finding } from './doctor.ts';
import { exportEvents, exportFormats } from './export.ts';
import { createFilter, filterOptions } from './filter.ts';
import { query } from './query.ts';
import { findTrails } from './read-trail.ts';
import { replay } from './replay.ts';
import { tail } from './tail.ts';
import { shownText, UsageError, type CliContext } from './terminal.ts';
import { verify } from './verify.ts';

const help = `Reads the audit trails of MCP servers.

Usage: mcp-audit <command> --directory <path> [options]

<path> is the directory of a trail, or the state directory of a server. Only forget changes anything.

Commands
  tail     Shows the latest events.        --lines <n> (20), --follow
  query    Shows calls.                    --limit <n> (100; 0 for all)
  export   Writes events as JSON lines.    --format jsonl | ocsf | ecs
  replay   Sends events to a collector.    --to <url>, --from <sequence>, --until-sequence <n>, --token-file <path>
  verify   Checks chain and signatures.    --public-key <file>, --anchor <file with a checkpoint>
  doctor   Checks permissions, lock, delivery, disk and clock.
  forget   Destroys a person's key.        --keys <path>, --actor <id>

Filters of tail, query and export
  --user <text>     part of the actor's id
  --tool <name>     the tool, URI or prompt
  --result <list>   success, failure, denied, unknown; separated by commas
  --since, --until  2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 7d

Output
  --json            JSON lines instead of a table
  Colours follow NO_COLOR and FORCE_COLOR.

Exit codes: 0 done, 1 something was found or failed, 2 wrong usage.
`;

const commonOptions = { directory: { type: 'string' }, json: { type: 'boolean' } } as const;

const commands: Readonly<Record<string, (argv: string[], context: CliContext) => Promise<number>>> = {
  tail: runTail,
  query: runQuery,
  export: runExport,
  replay: runReplay,
  verify: runVerify,
  doctor: runDoctor,
  forget: runForget,
};

/** Runs one command line, without the program's name. Returns the exit code; never rejects. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (['help', '--help', '-h'].includes(name) || rest.includes('--help')) {
    context.stdout.write(help);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (command === undefined) {
      throw new UsageError(`There is no command ${name}`);
    }
    return await command(rest, context);
  } catch (error) {
    if (context.signal.aborted) {
      return 0;
    }
    const isUsage = error instanceof UsageError || isParseError(error);
    const message = error instanceof Error ? error.message : String(error);
    context.stderr.write(`mcp-audit: ${shownText(message)}\n${isUsage ? 'Try mcp-audit --help.\n' : ''}`);
    return isUsage ? 2 : 1;
  }
}

async function runTail(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...commonOptions,
      ...filterOptions,
      lines: { type: 'string' },
      follow: { type: 'boolean', short: 'f' },
    },
  });
  const damage = countDamage(context);
  await tail(
    {
      trail: await oneTrail(values.directory),
      filter: createFilter(values, context.now()),
      lines: count('--lines', values.lines, 20),
      follow: values.follow ?? false,
      json: values.json ?? false,
      onDamage: damage.add,
    },
    context,
  );
  return damage.exitCode();
}

async function runQuery(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...commonOptions, ...filterOptions, limit: { type: 'string' } },
  });
  const damage = countDamage(context);
  const filter = createFilter(values, context.now());
  const limit = count('--limit', values.limit, 100);
  const trails = await findTrails(required('--directory', values.directory));
  await query({ trails, filter, limit, json: values.json ?? false, onDamage: damage.add }, context);
  return damage.exitCode();
}

async function runExport(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...commonOptions, ...filterOptions, format: { type: 'string', default: 'jsonl' } },
  });
  const { format } = values;
  if (!isFormat(format)) {
    throw new UsageError(`--format is ${Object.keys(exportFormats).join(', ')}, not ${format}`);
  }
  const damage = countDamage(context);
  const filter = createFilter(values, context.now());
  const trails = await findTrails(required('--directory', values.directory));
  await exportEvents({ trails, filter, format, onDamage: damage.add }, context);
  return damage.exitCode();
}

async function runReplay(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...commonOptions,
      to: { type: 'string' },
      from: { type: 'string' },
      'until-sequence': { type: 'string' },
      'token-file': { type: 'string' },
    },
  });
  const tokenFile = values['token-file'];
  const sink = createCollectorSink({
    url: required('--to', values.to),
    ...(tokenFile !== undefined && { token: async () => readFileSync(tokenFile, 'utf8').trim() }),
  });
  const damage = countDamage(context);
  const { sent, failure } = await replay(
    {
      trail: await oneTrail(values.directory),
      sink,
      from: count('--from', required('--from', values.from), 1),
      to: count('--until-sequence', values['until-sequence'], Number.MAX_SAFE_INTEGER),
      onDamage: damage.add,
    },
    context,
  );
  if (values.json === true) {
    context.stdout.write(`${safeJson({ sent, failedFrom: failure?.from })}\n`);
  } else {
    context.stdout.write(`${sent} events sent\n`);
  }
  if (failure === undefined) {
    return damage.exitCode();
  }
  const { error, from } = failure;
  const reason = error instanceof AuditError ? error.message : String(error);
  context.stderr.write(`mcp-audit: ${shownText(reason)}. Go on with --from ${from}.\n`);
  return 1;
}

async function runVerify(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...commonOptions,
      'public-key': { type: 'string', multiple: true, default: [] },
      anchor: { type: 'string' },
    },
  });
  const trails = await findTrails(required('--directory', values.directory));
  const isIntact = await verify(
    {
      trails,
      publicKeyFiles: values['public-key'],
      anchorFile: values.anchor,
      json: values.json ?? false,
    },
    context,
  );
  return isIntact ? 0 : 1;
}

async function runDoctor(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({ args, options: commonOptions });
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
}

async function runForget(args: string[], context: CliContext): Promise<number> {
  const { values } = parseArgs({ args, options: { keys: { type: 'string' }, actor: { type: 'string' } } });
  const keys = await openPersonalKeys(required('--keys', values.keys));
  const wasThere = await keys.destroy(required('--actor', values.actor));
  context.stdout.write(wasThere ? 'The key is destroyed.\n' : 'There is no key for that actor.\n');
  return wasThere ? 0 : 1;
}

async function oneTrail(directory: string | undefined): Promise<string> {
  const trails = await findTrails(required('--directory', directory));
  const [trail] = trails;
  if (trail === undefined || trails.length > 1) {
    throw new UsageError(`There are several trails; give --directory one of ${trails.join(', ')}`);
  }
  return trail;
}

function countDamage({ stderr }: CliContext): { readonly add: () => void; readonly exitCode: () => number } {
  let damaged = 0;
  return {
    add() {
      damaged += 1;
    },
    exitCode() {
      if (damaged === 0) {
        return 0;
      }
      stderr.write(`mcp-audit: ${damaged} damaged records were left out; run mcp-audit verify\n`);
      return 1;
    },
  };
}

function required(option: string, value: string | undefined): string {
  if (value === undefined || value === '') {
    throw new UsageError(`${option} is required`);
  }
  return value;
}

function count(option: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) {
    return byDefault;
  }
  if (!/^\d{1,15}$/u.test(text)) {
    throw new UsageError(`${option} is a whole number, not ${text}`);
  }
  return Number(text);
}

function isFormat(text: string): text is keyof typeof exportFormats {
  return Object.hasOwn(exportFormats, text);
}

function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
