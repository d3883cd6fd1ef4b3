import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource, serverSettings } from '@mcp-parts/sandbox/testing';
import { findService, freePort } from '@mcp-parts/test-services';
import { describe, expect, it } from 'vitest';

import { program, tokenFor } from './http-server.ts';
import { commandsOf, operationPages } from './page-commands.ts';
import { modernCall, send } from './raw-request.ts';

/** `rollout.test.ts` holds the configuration that is in its page, and `first-day.test.ts` runs its own. */
const OF_OTHER_TESTS = new Set(['README.md', 'rollout.md', 'first-day.md']);
const auditProgram = fileURLToPath(new URL('../../../packages/audit/src/mcp-audit.ts', import.meta.url));
const curl = findService({ program: 'curl', debianPackage: 'curl' });
const openssl = findService({ program: 'openssl', debianPackage: 'openssl' });

/** Starts the server, and is done when it is ready; it ends with the one that it is told to stop. */
const START = `#!/usr/bin/env bash
set -eu
"$PROGRAM" $PROGRAM_ARGS 2>>"$WORK/server.log" </dev/null >/dev/null &
echo $! > "$WORK/server.pid"
for attempt in $(seq 300); do
  if curl --fail --silent --output /dev/null "$REPLICA_URL/ready"; then exit 0; fi
  kill -0 "$(cat "$WORK/server.pid")" || { tail "$WORK/server.log" >&2; exit 1; }
  sleep 0.1
done
exit 1
`;
const STOP = `#!/usr/bin/env bash
set -eu
pid=$(cat "$WORK/server.pid")
kill "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
`;

/** A replica in a directory of its own, with what its operators have at hand. */
async function createReplica(more: Readonly<Record<string, string>> = {}) {
  const sandbox = await startSandbox({ mcpResource });
  const work = await mkdtemp(join(tmpdir(), 'mcp-operations-'));
  const [port, operatorPort] = [await freePort(), await freePort()];
  const bin = join(work, 'bin');
  await mkdir(bin);
  await mkdir(join(work, 'state'), { mode: 0o700 });
  const command = (name: string, script: string) => writeFile(join(bin, name), script, { mode: 0o755 });
  await command('start-replica', START);
  await command('stop-replica', STOP);
  await command(
    'mcp-audit',
    `#!/bin/sh\nexec "${process.execPath}" --conditions=@mcp-parts/source "${auditProgram}" "$@"\n`,
  );
  const environment = {
    ...serverSettings(sandbox),
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    PROGRAM: program.command,
    PROGRAM_ARGS: program.args.join(' '),
    WORK: work,
    START: 'start-replica',
    STOP: 'stop-replica',
    BACKUP: join(work, 'backup'),
    STATE_DIRECTORY: join(work, 'state'),
    NEW_DIRECTORY: join(work, 'new-disk/state'),
    REPLICA_URL: `http://127.0.0.1:${operatorPort}`,
    PORT: String(port),
    OPERATOR_PORT: String(operatorPort),
    READINESS_DELAY_MS: '0',
    ...more,
  };
  const token = await tokenFor(sandbox, 'developer');
  return {
    work,
    state: environment.STATE_DIRECTORY,
    /** Runs commands in one shell, which ends at the first that fails. */
    async run(commands: string) {
      const shell = spawn('bash', ['--norc', '-euxo', 'pipefail', '-c', commands], { env: environment });
      shell.stdin.end();
      const [stdout, stderr, status] = await Promise.all([
        text(shell.stdout),
        text(shell.stderr),
        new Promise<number | null>((resolve) => shell.once('close', resolve)),
      ]);
      // Its last words are the difference that a failed test shows.
      return { status, stdout, failure: status === 0 ? '' : stderr };
    },
    call: (tool: string, input: object = {}) =>
      send(`http://127.0.0.1:${port}/mcp`, modernCall(token, tool, input)),
    log: () => readFile(join(work, 'server.log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      const pid = Number(await readFile(join(work, 'server.pid'), 'utf8').catch(() => '0'));
      if (pid > 0) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended.
        }
      }
      await sandbox.close();
      await rm(work, { recursive: true, force: true });
    },
  };
}

const hasPrograms = curl !== undefined && openssl !== undefined && process.platform === 'linux';

describe.skipIf(!hasPrograms)('the pages for operations', { timeout: 180_000 }, () => {
  it('backup-and-restore: brings back the past, and begins a new writer', async () => {
    await using replica = await createReplica();
    expect(await replica.run('$START')).toMatchObject({ status: 0, failure: '' });
    await replica.call('list_services');
    const ended = await replica.run(await commandsOf('backup-and-restore.md'));
    expect(ended).toMatchObject({ status: 0, failure: '' });
    expect(await replica.log()).toContain('audit trail is a copy');
    await replica.call('list_services');
    const { stdout } = await replica.run('mcp-audit query --directory "$STATE_DIRECTORY" --json');
    expect(stdout).toContain('list_services');
  });

  it('upgrade-and-rollback: goes there and back on one state', async () => {
    await using replica = await createReplica();
    expect(await replica.run('$START')).toMatchObject({ status: 0, failure: '' });
    await replica.call('list_services');
    expect(await replica.run(await commandsOf('upgrade-and-rollback.md'))).toMatchObject({
      status: 0,
      failure: '',
    });
    expect((await replica.call('list_services')).status).toBe(200);
    expect(await replica.log()).not.toContain('audit trail is a copy');
  });

  it('key-rotation: signs with another key, and takes another token', async () => {
    const keys = await mkdtemp(join(tmpdir(), 'mcp-keys-'));
    try {
      const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
      const signingKey = join(keys, 'audit-signing.pem');
      await writeFile(signingKey, pem, { mode: 0o600 });
      await writeFile(join(keys, 'operator-token'), 'the-first-token-that-operators-had-here\n', {
        mode: 0o600,
      });
      await using replica = await createReplica({
        KEYS: keys,
        AUDIT_SIGNING_KEY_FILE: signingKey,
        OPERATOR_TOKEN_FILE: join(keys, 'operator-token'),
      });
      expect(await replica.run('$START')).toMatchObject({ status: 0, failure: '' });
      await replica.call('list_services');
      expect(await replica.run(await commandsOf('key-rotation.md'))).toMatchObject({
        status: 0,
        failure: '',
      });
      expect((await replica.call('list_services')).status).toBe(200);
    } finally {
      await rm(keys, { recursive: true });
    }
  });

  it('moving-a-volume: goes on elsewhere', async () => {
    await using replica = await createReplica();
    expect(await replica.run('$START')).toMatchObject({ status: 0, failure: '' });
    await replica.call('list_services');
    expect(await replica.run(await commandsOf('moving-a-volume.md'))).toMatchObject({
      status: 0,
      failure: '',
    });
    await expect(stat(replica.state)).rejects.toThrow('ENOENT');
    expect((await replica.call('list_services')).status).toBe(200);
  });

  it('disk-full: has room again, after changes were refused', async () => {
    await using replica = await createReplica({ AUDIT_MAX_BYTES: '1048576' });
    expect(await replica.run('$START')).toMatchObject({ status: 0, failure: '' });
    const isReady = async () => (await replica.run('curl --fail --silent "$REPLICA_URL/ready"')).status === 0;
    do {
      await Promise.all(Array.from({ length: 100 }, () => replica.call('list_services')));
    } while (await isReady());
    expect(await replica.run(await commandsOf('disk-full.md'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('mcp_audit_recording 0'),
    });
    expect((await replica.call('list_services')).status).toBe(200);
  });

  it('are all run here, and named in the overview', async () => {
    const own = await readFile(fileURLToPath(import.meta.url), 'utf8');
    const overview = await readFile(join(operationPages, 'README.md'), 'utf8');
    for (const page of (await readdir(operationPages)).filter((name) => !OF_OTHER_TESTS.has(name))) {
      expect(own).toContain(`commandsOf('${page}')`);
      expect(overview).toContain(`(${page})`);
    }
  });
});
