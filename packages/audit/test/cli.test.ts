import { chmod, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { shownText } from '../src/cli/output/terminal.ts';
import { runCli } from '../src/cli/run-cli.ts';
import { systemTimer } from '../src/clock.ts';
import { platformFiles } from '../src/disk/platform-files.ts';
import {
  auditEventSchema,
  createCollectorSink,
  openAuditTrail,
  openPersonalKeys,
  type AuditIntent,
  type AuditOutcome,
} from '../src/index.ts';
import { Collector } from './collector.ts';
import { intent, options, segmentFiles, storedEvents, temporaryDirectory } from './fixtures.ts';

const UNSAFE_CHARACTERS =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const MINUTE = 60_000;

type Call = Partial<AuditIntent> & { readonly end?: Partial<AuditOutcome> | null; readonly ago?: number };

/** Writes calls to a trail, one after the other; `end: null` leaves one open. */
async function writeTrail(path: string, calls: readonly Call[]): Promise<void> {
  let time = NOW;
  await using trail = await openAuditTrail({ ...options(path), now: () => time });
  for (const { end = {}, ago = 0, ...overrides } of calls) {
    time = NOW - ago;
    const entry = await trail.begin(intent(overrides));
    if (end !== null) {
      await entry.finish({ result: 'success', durationMs: 12, ...end });
    }
  }
}

class Screen extends PassThrough {
  readonly columns = 200;
  isTTY = false;
  getColorDepth = () => (this.isTTY ? 8 : 1);
  hasColors = () => this.isTTY;
  shown = '';

  constructor() {
    super();
    this.on('data', (chunk: Buffer) => (this.shown += chunk.toString('utf8')));
  }
}

function start(argv: readonly string[], stdout = new Screen()) {
  const stderr = new Screen();
  const abort = new AbortController();
  const exit = runCli(argv, { stdout, stderr, signal: abort.signal, now: () => NOW, version: '1.2.3' });
  return { stdout, stderr, abort, exit };
}

async function run(...argv: string[]) {
  const { stdout, stderr, exit } = start(argv);
  const exitCode = await exit;
  return { exitCode, out: stdout.shown, err: stderr.shown, lines: stdout.shown.split('\n').filter(Boolean) };
}

const alice = { id: 'https://issuer.test#alice', kind: 'user', groups: [] } as const;
const calls: readonly Call[] = [
  { actor: alice, ago: 90 * MINUTE },
  { actor: alice, target: 'check_status', ago: 20 * MINUTE, end: { result: 'failure', reason: 'timeout' } },
  { ago: 10 * MINUTE, end: { result: 'denied', reason: 'missing_group' } },
  { ago: 5 * MINUTE, target: 'check_status', end: null },
];

describe('mcp-audit query', () => {
  it('shows each call once, aligned, and a call without an outcome as open', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    // The trail closes nothing by itself: the open call stays open until the next start.
    const { exitCode, lines } = await run('query', '--directory', directory.path);
    expect(exitCode).toBe(0);
    expect(lines.map((line) => line.split(/ {2,}/u).slice(1))).toEqual([
      ['RESULT', 'SEQ', 'ACTOR', 'TARGET', 'RESOURCE', 'DETAIL'],
      ['success', '2', alice.id, 'trigger_deployment', 'payment-service/staging', '12 ms'],
      ['failure', '4', alice.id, 'check_status', 'payment-service/staging', 'timeout, 12 ms'],
      [
        'denied',
        '6',
        'https://issuer.test#user-1',
        'trigger_deployment',
        'payment-service/staging',
        'missing_group, 12 ms',
      ],
      ['open', '7', 'https://issuer.test#user-1', 'check_status', 'payment-service/staging', 'correlation-1'],
    ]);
    expect(new Set(lines.map((line) => line.search(/RESULT|success|failure|denied|open/u))).size).toBe(1);
  });

  it.each([
    [
      ['--user', 'ALICE'],
      [2, 4],
    ],
    [
      ['--tool', 'check_status'],
      [4, 7],
    ],
    [
      ['--result', 'denied,failure'],
      [4, 6],
    ],
    [
      ['--since', '15m'],
      [6, 7],
    ],
    [
      ['--until', '15m'],
      [2, 4],
    ],
    [['--since', '2026-03-01T11:35:00Z', '--until', '2026-03-01T11:45:00Z'], [4]],
    [['--user', 'alice', '--tool', 'check_status', '--since', '1h'], [4]],
    [['--limit', '1'], [7]],
    [
      ['--limit', '0'],
      [2, 4, 6, 7],
    ],
    [['--user', 'nobody'], []],
  ])('chooses with %j', async (filter, sequences) => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const { lines } = await run('query', '--directory', directory.path, '--json', ...filter);
    expect(lines.map((line) => auditEventSchema.parse(JSON.parse(line)).sequence)).toEqual(sequences);
  });

  it('joins the trails of a state directory by time', async () => {
    await using directory = await temporaryDirectory();
    for (const [folder, ago] of [
      ['1', 1],
      ['2', 3],
      ['10', 2],
    ] as const) {
      await writeTrail(join(directory.path, folder, 'audit'), [
        { target: `tool-${folder}`, ago: ago * MINUTE },
      ]);
    }
    const { lines } = await run('query', '--directory', directory.path, '--json');
    expect(lines.map((line) => auditEventSchema.parse(JSON.parse(line)).target)).toEqual([
      'tool-2',
      'tool-10',
      'tool-1',
    ]);
  });

  it('reads beside a server that writes', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail(options(directory.path));
    await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
    expect((await run('query', '--directory', directory.path)).lines).toHaveLength(2);
  });

  it('spells out what could move, hide or reorder text in a terminal', async () => {
    await using directory = await temporaryDirectory();
    const target = 'a\u001b[2J\r\u202e\u2066\u200bb\u{e0041}\u0085';
    await writeTrail(directory.path, [{ target, resource: '\u001b]0;owned\u0007' }]);
    for (const command of ['query', 'tail', 'export']) {
      const { out } = await run(command, '--directory', directory.path);
      expect(out).not.toMatch(UNSAFE_CHARACTERS);
    }
    const { out } = await run('query', '--directory', directory.path);
    expect(out).toContain('a\\u{1b}[2J\\u{d}\\u{202e}\\u{2066}\\u{200b}b\\u{e0041}\\u{85}');
  });

  it('colours results in a terminal only', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const screen = new Screen();
    screen.isTTY = true;
    const { exit } = start(['query', '--directory', directory.path], screen);
    await exit;
    expect(screen.shown).toContain('\u001b[33mdenied\u001b[39m');
    expect((await run('query', '--directory', directory.path)).out).not.toContain('\u001b');
  });

  it('leaves out damaged records, says so and fails', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const [file = ''] = await segmentFiles(directory.path);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('check_status', 'check_statuz'));
    const { exitCode, err, lines } = await run('query', '--directory', directory.path, '--json');
    expect(exitCode).toBe(1);
    expect(err).toContain('1 damaged records were left out');
    expect(lines).toHaveLength(4);
  });
});

describe('mcp-audit tail', () => {
  it('shows the latest events, intents included', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const { lines } = await run('tail', '--directory', directory.path, '--lines', '3', '--json');
    expect(lines.map((line) => auditEventSchema.parse(JSON.parse(line)).sequence)).toEqual([5, 6, 7]);
  });

  it('follows a trail into its next segment until it is stopped', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail({ ...options(directory.path), segmentBytes: 400 });
    await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
    const { stdout, abort, exit } = start(['tail', '--directory', directory.path, '--json', '--follow']);
    await expect.poll(() => stdout.shown.split('\n')).toHaveLength(3);
    for (let index = 0; index < 5; index += 1) {
      await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
    }
    await expect.poll(() => stdout.shown.split('\n')).toHaveLength(13);
    abort.abort();
    expect(await exit).toBe(0);
  });

  it('asks for one trail', async () => {
    await using directory = await temporaryDirectory();
    for (const folder of ['1', '2']) {
      await writeTrail(join(directory.path, folder, 'audit'), calls);
    }
    expect(await run('tail', '--directory', directory.path)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('several trails'),
    });
  });
});

describe('mcp-audit export', () => {
  it.each([
    ['jsonl', { schemaVersion: 1, stage: 'intent' }],
    ['ocsf', { class_uid: 6003, status: 'Started' }],
    ['ecs', { ecs: { version: '8.17.0' }, event: { type: ['start'] } }],
  ])('writes every event as %s', async (format, first) => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const { lines } = await run('export', '--directory', directory.path, '--format', format);
    expect(lines).toHaveLength(7);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(first);
  });
});

describe('mcp-audit replay', () => {
  it('sends events from a sequence on, in order, with the ids they had', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    const token = join(directory.path, 'token');
    await writeFile(token, 'the-token\n');
    const path = join(directory.path, 'trail');
    await writeTrail(
      path,
      Array.from({ length: 120 }, () => ({})),
    );
    const args = ['--directory', path, '--to', collector.url, '--from', '11', '--token-file', token];
    expect(await run('replay', ...args)).toMatchObject({ exitCode: 0, out: '230 events sent\n' });
    expect(collector.stored.map((event) => event.sequence)).toEqual(
      Array.from({ length: 230 }, (_, i) => i + 11),
    );
    expect(collector.requests.map(({ events }) => events.length)).toEqual([100, 100, 30]);
    expect(collector.requests[0]?.authorization).toBe('Bearer the-token');
    await run('replay', ...args);
    expect(collector.stored).toHaveLength(230);
  });

  it('says where to go on when the collector fails', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    await writeTrail(directory.path, calls);
    collector.mode = 'refuse';
    const { exitCode, err } = await run(
      'replay',
      '--directory',
      directory.path,
      '--to',
      collector.url,
      '--from',
      '3',
    );
    expect(exitCode).toBe(1);
    expect(err).toBe('mcp-audit: The collector responded with 503. Go on with --from 3.\n');
  });
});

describe('a reader', () => {
  it('hides no event because its file has another time', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    for (const file of await segmentFiles(directory.path)) {
      await utimes(file, 0, 0);
    }
    const since = ['--directory', directory.path, '--since', '1h'];
    expect((await run('query', ...since)).lines).toHaveLength(4);
    expect((await run('export', ...since)).lines).toHaveLength(5);
    expect((await run('tail', ...since)).lines).toHaveLength(6);
  });
});

describe('mcp-audit verify', () => {
  it('finds an intact trail intact, with the key of the one who asks', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'trail');
    await writeTrail(path, calls);
    const key = join(directory.path, 'key.pem');
    await rename(join(path, 'signing-key.pub.pem'), key);
    const { exitCode, out } = await run('verify', '--directory', path, '--public-key', key);
    expect(exitCode).toBe(0);
    expect(out).toMatch(
      new RegExp(`^intact {2}${path} {2}7 events, 4 checkpoints, 0 events not signed yet\n$`, 'u'),
    );
    expect((await run('verify', '--directory', path)).out).toContain('signatures were not');
  });

  it('warns that a key from beside the trail proves little', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const { exitCode, out } = await run('verify', '--directory', directory.path);
    expect(exitCode).toBe(0);
    expect(out).toContain('the key lay beside the trail');
  });

  it('names the first broken record', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const [file = ''] = await segmentFiles(directory.path);
    const lines = (await readFile(file, 'utf8')).split('\n');
    const broken = lines.findIndex((line) => line.startsWith('{"seq":4,'));
    lines[broken] = (lines[broken] ?? '').replace('"failure"', '"success"');
    await writeFile(file, lines.join('\n'));
    const { exitCode, out } = await run('verify', '--directory', directory.path);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^BROKEN /u);
    expect(out).toContain(`0000000001.jsonl line ${broken + 1}, byte `);
    expect(out).toContain('after sequence 3: the bytes are not what was written');
    const { lines: json } = await run('verify', '--directory', directory.path, '--json');
    expect(JSON.parse(json[0] ?? '')).toMatchObject({
      isIntact: false,
      findings: [{ code: 'damaged_record', segment: 1, line: broken + 1, afterSequence: 3 }],
    });
  });

  it('does not believe a trail that was rebuilt with another key', async () => {
    await using directory = await temporaryDirectory();
    const [original, rebuilt] = [join(directory.path, 'original'), join(directory.path, 'rebuilt')];
    await writeTrail(original, calls);
    await writeTrail(rebuilt, calls);
    const key = join(original, 'signing-key.pub.pem');
    const { exitCode, out } = await run('verify', '--directory', rebuilt, '--public-key', key);
    expect(exitCode).toBe(1);
    expect(out).toContain('not signed with the given key');
  });

  it('sees with an anchor that the end was cut off', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'trail');
    await writeTrail(path, calls);
    const [file = ''] = await segmentFiles(path);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const last = JSON.parse(lines.findLast((line) => line.includes('"checkpoint":{')) ?? '') as {
      checkpoint: object;
    };
    const anchor = join(directory.path, 'anchor.json');
    // As an editor on Windows saves it.
    await writeFile(anchor, `\u{FEFF}${JSON.stringify(last.checkpoint)}`);
    const args = ['verify', '--directory', path, '--anchor', anchor];
    expect((await run(...args)).exitCode).toBe(0);
    await writeFile(file, `${lines.slice(0, 4).join('\n')}\n`);
    expect(await run(...args)).toMatchObject({
      exitCode: 1,
      out: expect.stringContaining('its end was cut off'),
    });
  });

  it.each(['--public-key', '--anchor'])('refuses a file for %s that holds something else', async (option) => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const other = join(directory.path, 'other');
    await writeFile(other, 'other');
    expect((await run('verify', '--directory', directory.path, option, other)).exitCode).toBe(2);
  });
});

describe('mcp-audit doctor', () => {
  async function examined(path: string) {
    const { exitCode, lines } = await run('doctor', '--directory', path, '--json');
    const findings = lines.map(
      (line) => JSON.parse(line) as { check: string; state: string; detail: string },
    );
    return { exitCode, of: (check: string) => findings.find((finding) => finding.check === check) };
  }

  it('finds nothing wrong with a delivered trail', async () => {
    await using directory = await temporaryDirectory();
    await using collector = await Collector.start();
    {
      const sinks = [createCollectorSink({ url: collector.url })];
      await using trail = await openAuditTrail({
        ...options(directory.path),
        sinks,
        now: () => NOW,
      });
      await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
      await trail.flush();
      const { of } = await examined(directory.path);
      expect(of('lock')).toMatchObject({ state: 'ok', detail: 'held: a server writes to it' });
    }
    const { exitCode, of } = await examined(directory.path);
    expect(exitCode).toBe(0);
    expect(of('lock')).toMatchObject({ state: 'ok', detail: 'free: no server writes to it' });
    for (const check of ['permissions', 'records', 'clock', 'sink collector', 'disk', 'repairs']) {
      expect(of(check)).toMatchObject({ state: 'ok' });
    }
  });

  it('finds open permissions, an undelivered backlog, a clock ahead and a repaired end', async () => {
    await using directory = await temporaryDirectory();
    const refusing = { name: 'refusing', deliver: () => Promise.reject(new Error('no')) };
    {
      // Closed: a file that is open cannot be removed everywhere.
      await using trail = await openAuditTrail({
        ...options(directory.path),
        sinks: [refusing],
        closeTimeoutMs: 1,
        setTimer: systemTimer,
        now: () => NOW + MINUTE,
      });
      await trail.begin(intent());
    }
    await writeFile(join(directory.path, 'cursor-slow.json'), '{"sequence":0}', { mode: 0o600 });
    await writeFile(join(directory.path, 'cursor-broken.json'), '{', { mode: 0o600 });
    await writeFile(join(directory.path, 'cursor-ahead.json'), '\u{FEFF}{"sequence":9}', { mode: 0o600 });
    await writeFile(join(directory.path, '0000000001.jsonl.torn'), '{', { mode: 0o600 });
    await writeFile(join(directory.path, 'quarantine-slow.jsonl'), '{}\n{}\n', { mode: 0o600 });
    const [file = ''] = await segmentFiles(directory.path);
    await chmod(file, 0o644);
    const { exitCode, of } = await examined(directory.path);
    expect(exitCode).toBe(1);
    const detail = expect.stringContaining(platformFiles.hasModes ? file : 'access lists');
    expect(of('permissions')).toMatchObject({ state: platformFiles.hasModes ? 'problem' : 'ok', detail });
    expect(of('clock')).toMatchObject({ state: 'problem' });
    expect(of('sink slow')).toMatchObject({ state: 'warning', detail: 'waits for 1 events' });
    expect(of('sink broken')).toMatchObject({ state: 'warning' });
    expect(of('sink ahead')).toMatchObject({ state: 'problem' });
    expect(of('repairs')).toMatchObject({ state: 'warning' });
    expect(of('quarantine')).toMatchObject({ state: 'problem', detail: expect.stringContaining('2 events') });
  });

  it('shows its findings as a table', async () => {
    await using directory = await temporaryDirectory();
    await writeTrail(directory.path, calls);
    const { out } = await run('doctor', '--directory', directory.path);
    expect(out).toMatch(/^ok {7}permissions {2}(only the owner can read and write|not examined: .*)$/mu);
  });
});

describe('mcp-audit renew', () => {
  it('makes the next start begin a new writer, for a disk that was set back as a whole', async () => {
    await using directory = await temporaryDirectory();
    const writerOf = async () => {
      await using trail = await openAuditTrail(options(directory.path));
      await (await trail.begin(intent())).finish({ result: 'success', durationMs: 1 });
      await expect(run('renew', '--directory', directory.path)).resolves.toMatchObject({ exitCode: 1 });
      return new Set((await storedEvents(directory.path)).map(({ writerId }) => writerId));
    };
    const before = await writerOf();
    expect(await writerOf()).toEqual(before);
    expect(await run('renew', '--directory', directory.path)).toMatchObject({ exitCode: 0 });
    const after = await writerOf();
    expect([...after].filter((writerId) => before.has(writerId))).toEqual([]);
  });
});

describe('mcp-audit forget', () => {
  it('destroys the key of one person', async () => {
    await using directory = await temporaryDirectory();
    const keys = await openPersonalKeys(directory.path);
    const sealed = await keys.seal(alice.id, { displayName: 'Alice' });
    const args = ['--keys', directory.path, '--actor', alice.id];
    expect(await run('forget', ...args)).toMatchObject({ exitCode: 0, out: 'The key is destroyed.\n' });
    expect(await keys.open(alice.id, sealed)).toBeUndefined();
    expect((await run('forget', ...args)).exitCode).toBe(1);
  });
});

describe('mcp-audit', () => {
  it('explains itself', async () => {
    for (const argv of [['help'], ['--help'], ['-h'], ['query', '--help'], ['query', '-h']]) {
      expect(await run(...argv)).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining('Usage: mcp-audit'),
      });
    }
  });

  it.each([
    [['rewrite'], 'There is no command rewrite'],
    [['constructor'], 'There is no command constructor'],
    [['query'], '--directory is required'],
    [['query', '--directory', '/nonexistent'], 'There is no audit trail in /nonexistent'],
    [['query', '--directory', '.', '--result', 'fine'], '--result must be one of success'],
    [['query', '--directory', '.', '--since', 'yesterday'], '--since must be a time'],
    [['query', '--directory', '.', '--limit', 'many'], '--limit must be a whole number'],
    [['query', '--wrong'], "Unknown option '--wrong'"],
    [['export', '--directory', '.', '--format', 'xml'], '--format must be one of jsonl, ocsf, ecs'],
    [['replay', '--directory', '.'], '--to is required'],
    [['query\u001b[2J'], 'query\\u{1b}[2J'],
  ])('refuses %j', async (argv, message) => {
    expect(await run(...argv)).toMatchObject({ exitCode: 2, err: expect.stringContaining(message) });
  });

  it('shows ordinary text of any script as it is', () => {
    for (const text of ['plain', 'Größe', '漢字', 'مرحبا', '😀', 'a\\u{1b}']) {
      expect(shownText(text)).toBe(text);
    }
  });
});
