import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { runCli } from '../src/cli/run-cli.ts';
import {
  createAnchorCommand,
  createAnchorDirectory,
  createFileSink,
  createStreamSink,
  openAuditTrail,
  verifyTrail,
  type AnchorKeeper,
  type AuditCheckpoint,
  type AuditTrailOptions,
} from '../src/index.ts';
import { intent, options, segmentFiles, temporaryDirectory } from './fixtures.ts';
import { manualTimers } from './manual-timers.ts';

const success = { result: 'success', durationMs: 12 } as const;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

async function writeCalls(settings: AuditTrailOptions, count: number): Promise<void> {
  await using trail = await openAuditTrail(settings);
  for (let call = 0; call < count; call += 1) {
    await (await trail.begin(intent())).finish(success);
  }
}

async function lastCheckpoint(directory: string): Promise<AuditCheckpoint | undefined> {
  return (await verifyTrail({ directory, publicKey })).lastCheckpoint;
}

describe('an anchor', () => {
  it('is the last checkpoint, in a file of its writer, and lets no start go on with less', async () => {
    await using directory = await temporaryDirectory();
    const [path, elsewhere] = [join(directory.path, 'trail'), join(directory.path, 'anchors')];
    const anchors = [createAnchorDirectory(elsewhere)];
    const settings = { ...options(path), signingKey: privateKey, anchors };
    await writeCalls(settings, 1);
    await writeCalls(settings, 1);
    const kept = await lastCheckpoint(path);
    expect(await readdir(elsewhere)).toEqual([`${kept?.writerId}.json`]);
    expect(JSON.parse(await readFile(join(elsewhere, `${kept?.writerId}.json`), 'utf8'))).toEqual(kept);
    {
      await using again = await openAuditTrail(settings);
      expect(again.health().state).toBe('ok');
    }

    await rm((await segmentFiles(path)).at(-1) ?? '');
    await using trail = await openAuditTrail(settings);
    expect(trail.health()).toMatchObject({ state: 'degraded', lastError: { code: 'forged' } });
    await (await trail.begin(intent())).finish(success);
    const { findings, lastSequence } = await verifyTrail({ directory: path, publicKey, anchor: kept });
    expect(findings.map(({ code }) => code)).toEqual(['broken_chain', 'missing_end']);
    // No number is used twice.
    expect(lastSequence).toBeGreaterThan(kept?.sequence ?? Infinity);
  });

  it('reaches a program on its standard input', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'trail');
    const got = join(directory.path, 'got.json');
    const program = `require('node:fs').appendFileSync(${JSON.stringify(got)}, require('node:fs').readFileSync(0))`;
    const anchors = [createAnchorCommand({ command: process.execPath, args: ['-e', program] })];
    await writeCalls({ ...options(path), signingKey: privateKey, anchors }, 1);
    expect(JSON.parse(await readFile(got, 'utf8'))).toEqual(await lastCheckpoint(path));
  });

  it.each([
    ['ends with 3', { command: process.execPath, args: ['-e', 'process.exit(3)'] }],
    ['is not there', { command: '/nonexistent/program' }],
  ])('that a program does not take is told of: it %s', async (_name, command) => {
    await using directory = await temporaryDirectory();
    const keeper = createAnchorCommand(command);
    const path = join(directory.path, 'trail');
    const settings = { ...options(path), signingKey: privateKey, anchors: [keeper], checkpointEvents: 2 };
    await using trail = await openAuditTrail(settings);
    await (await trail.begin(intent())).finish(success);
    await expect
      .poll(() => trail.health(), { timeout: 10_000 })
      .toMatchObject({ state: 'degraded', lastError: { code: 'anchor_failed' } });
    await trail.begin(intent());
  });

  it('that is not kept is offered again, and the newest stands for those before it', async () => {
    await using directory = await temporaryDirectory();
    const given: number[] = [];
    const free = Promise.withResolvers<void>();
    let fails = true;
    const keeper: AnchorKeeper = {
      name: 'slow',
      async keepAnchor({ sequence }) {
        given.push(sequence);
        await free.promise;
        if (fails) {
          throw new Error('no');
        }
      },
    };
    let retry = (): void => {};
    const { setTimer } = manualTimers();
    const settings: AuditTrailOptions = {
      ...options(directory.path),
      anchors: [keeper],
      checkpointEvents: 2,
      setTimer(callback, delayMs, timerOptions) {
        if (delayMs === 60_000) {
          retry = callback;
        }
        return setTimer(callback, delayMs, timerOptions);
      },
      checkpointIntervalMs: 59_999,
    };
    await using trail = await openAuditTrail(settings);
    for (let call = 0; call < 4; call += 1) {
      await (await trail.begin(intent())).finish(success);
    }
    free.resolve();
    await expect.poll(() => trail.health().lastError?.code).toBe('anchor_failed');
    expect(given[0]).toBe(2);
    fails = false;
    retry();
    await expect.poll(() => trail.health().state).toBe('ok');
    expect(given.at(-1)).toBeGreaterThanOrEqual(6);
  });

  it('is kept by sinks that can', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'trail');
    const stream = new PassThrough();
    const file = join(directory.path, 'events.jsonl');
    const sinks = [createFileSink({ path: file }), createStreamSink({ stream })];
    await writeCalls({ ...options(path), signingKey: privateKey, sinks }, 1);
    const kept = await lastCheckpoint(path);
    const lines = String(stream.read())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual({ auditAnchor: kept });
    const beside = `${file}.anchor-${kept?.writerId}.json`;
    expect(JSON.parse(await readFile(beside, 'utf8'))).toEqual(kept);

    await writeFile(beside, JSON.stringify({ ...kept, signature: '' }));
    await using trail = await openAuditTrail({ ...options(path), signingKey: privateKey, sinks });
    expect(trail.health().lastError?.code).toBe('forged');
  });
});

describe('mcp-audit anchor', () => {
  async function run(...argv: string[]) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const { signal } = new AbortController();
    const columns = { columns: 300, isTTY: false, getColorDepth: () => 1, hasColors: () => false };
    const context = {
      stdout: Object.assign(stdout, columns),
      stderr,
      signal,
      now: Date.now,
      version: '1.0.0',
    };
    const exitCode = await runCli(argv, context);
    return { exitCode, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  }

  it('writes what verify takes, for every trail of a server, and verify misses each that is gone', async () => {
    await using directory = await temporaryDirectory();
    const trails = ['1', '2'].map((name) => join(directory.path, 'state', name, 'audit'));
    for (const path of trails) {
      await writeCalls({ ...options(path), signingKey: privateKey }, 1);
    }
    const state = join(directory.path, 'state');
    const anchors = join(directory.path, 'anchors.json');
    const { exitCode, out } = await run('anchor', '--directory', state);
    expect([exitCode, out.trim().split('\n').length]).toEqual([0, 2]);
    await writeFile(anchors, out);
    const key = join(directory.path, 'key.pem');
    await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }));
    const args = ['verify', '--directory', state, '--anchor', anchors, '--public-key', key];
    expect((await run(...args)).exitCode).toBe(0);
    await rm(join(state, '2'), { recursive: true });
    expect(await run(...args)).toMatchObject({ exitCode: 1, out: expect.stringContaining('is not here') });
  });

  it('finds a trail of a server that was emptied', async () => {
    await using directory = await temporaryDirectory();
    const trails = ['1', '2'].map((name) => join(directory.path, name, 'audit'));
    for (const path of trails) {
      await writeCalls(options(path), 1);
    }
    await rm((await segmentFiles(trails[1] ?? ''))[0] ?? '');
    const { exitCode, out } = await run('verify', '--directory', directory.path);
    expect([exitCode, out]).toEqual([1, expect.stringContaining('there is no trail here')]);
    const gone = await run('verify', '--directory', join(directory.path, 'gone'));
    expect([gone.exitCode, gone.out]).toEqual([1, expect.stringContaining('there is no trail here')]);
  });

  it('takes a directory of keys, of which each signature finds its own', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'trail');
    for (let rotation = 0; rotation < 2; rotation += 1) {
      await writeCalls({ ...options(path), signingKey: generateKeyPairSync('ed25519').privateKey }, 1);
    }
    expect((await run('verify', '--directory', path)).exitCode).toBe(0);
    const keys = join(directory.path, 'keys');
    await mkdir(keys);
    for (const name of (await readdir(path)).filter((name) => name.endsWith('.pub.pem'))) {
      await rename(join(path, name), join(keys, name));
    }
    expect(await run('verify', '--directory', path, '--public-key', keys)).toMatchObject({ exitCode: 0 });
  });
});
