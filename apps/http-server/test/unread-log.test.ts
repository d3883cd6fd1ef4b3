import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource, serverSettings } from '@mcp-parts/sandbox/testing';
import { expect, it } from 'vitest';

import { program, tokenFor } from './http-server.ts';
import { modernCall, send } from './raw-request.ts';

const CALLS = 900;
const AT_ONCE = 20;

it('goes on serving when nobody reads its log, and ends when it is told to', async () => {
  const sandbox = await startSandbox({ mcpResource });
  const stateDirectory = await mkdtemp(join(tmpdir(), 'mcp-http-server-'));
  const child = spawn(program.command, [...program.args], {
    env: {
      ...serverSettings(sandbox),
      PORT: '0',
      STATE_DIRECTORY: stateDirectory,
      RATE_LIMIT_PER_MINUTE: String(10 * CALLS),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const url = await listening(child.stderr);
    child.stderr.pause();
    const token = await tokenFor(sandbox, 'developer');
    // Every call is a failure, which the server logs.
    await sandbox.faults.set('configuration', { kind: 'status', status: 500 });

    for (let sent = 0; sent < CALLS; sent += AT_ONCE) {
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, () => send(url, modernCall(token, 'list_services', {}))),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    expect((await send(`${new URL(url).origin}/health`)).status).toBe(200);

    const log: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => log.push(chunk));
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    // More was said than fits between two processes, or this has shown nothing.
    expect(
      Buffer.concat(log)
        .toString()
        .match(/"call failed"/gu)?.length,
    ).toBeLessThan(CALLS);
  } finally {
    child.kill('SIGKILL');
    await sandbox.close();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}, 120_000);

/** The address in the line that says where it listens. */
function listening(stderr: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split('\n').find((candidate) => candidate.includes('"msg":"listening"'));
      if (line !== undefined) {
        stderr.off('data', read);
        resolve(String((JSON.parse(line) as { url?: unknown }).url));
      }
    };
    stderr.on('data', read);
    stderr.once('end', () => reject(new Error(`the server ended:\n${text}`)));
  });
}
