import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import type { Contender, Opening } from './contenders.ts';

/** One start of a program. */
export interface Start {
  /** From the spawn to the response to the first request. */
  readonly firstResponseMs: number;
  /** What all threads have worked by then, in milliseconds; NaN where the system does not tell. */
  readonly cpuMs: number;
  /** Once it has listed its tools. */
  readonly rssMiB: number;
}

const clientInfo = { name: 'bench', version: '1.0.0' };
const envelope = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': clientInfo,
  },
};

/**
 * Starts it, opens the connection, lists the tools, and ends it.
 *
 * @throws {Error} with what it said when a response is an error or names no tool.
 */
export async function start({ name, file, environment }: Contender, opening: Opening): Promise<Start> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [file], { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const response = async (id: number): Promise<Readonly<Record<string, unknown>>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) {
        throw new Error(`${name}: ended: ${stderr.slice(-2_000)}`);
      }
      const message = JSON.parse(value) as { id?: number; result?: Record<string, unknown> };
      if (message.id === id) {
        if (message.result === undefined) {
          throw new Error(`${name}: ${value}`);
        }
        return message.result;
      }
    }
  };
  try {
    const params =
      opening === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } : envelope;
    send({ id: 1, method: opening, params });
    await response(1);
    const firstResponseMs = performance.now() - startedAt;
    const cpuMs = workedMs(child.pid);
    if (opening === 'initialize') {
      send({ method: 'notifications/initialized' });
    }
    send({ id: 2, method: 'tools/list', params: opening === 'initialize' ? {} : envelope });
    const { tools } = await response(2);
    if (!Array.isArray(tools) || tools.length === 0) {
      throw new Error(`${name}: no tools`);
    }
    return { firstResponseMs, cpuMs, rssMiB: residentMiB(child.pid) };
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

/** On a busy machine this tells more than the time that passes. */
function workedMs(pid: number | undefined): number {
  try {
    const tasks = `/proc/${pid}/task`;
    const nanoseconds = readdirSync(tasks).map((task) =>
      Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
  } catch {
    // Not Linux.
    return Number.NaN;
  }
}

function residentMiB(pid: number | undefined): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024;
}
