import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { findService } from '@mcp-parts/test-services';

import type { RedisClient } from '../src/index.ts';

/** A Redis of our own on a socket file, and clients of it that speak as much of RESP (version 2) as is needed. */
export interface Redis extends AsyncDisposable {
  readonly connect: () => Promise<RedisClient>;
  /** Ends it at once, as a crash does. */
  readonly kill: () => Promise<void>;
}

export const redisProgram = findService({ program: 'redis-server', debianPackage: 'redis-server' });

export async function startRedis(program: string): Promise<Redis> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-redis-'));
  const path = join(directory, 'redis.sock');
  const settings = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory];
  const child = spawn(program, settings, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (/ready to accept connections/i.test(line)) {
      break;
    }
  }
  child.stdout.resume();
  const sockets: Socket[] = [];
  const kill = async (): Promise<void> => {
    sockets.forEach((socket) => socket.destroy());
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  return {
    async connect() {
      const socket = connect(path);
      await once(socket, 'connect');
      sockets.push(socket);
      return clientOf(socket);
    },
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function clientOf(socket: Socket): RedisClient {
  const waiting: PromiseWithResolvers<unknown>[] = [];
  const fail = (): void =>
    waiting.splice(0).forEach(({ reject }) => reject(new Error('the connection is gone')));
  socket.on('error', fail).on('close', fail);
  createInterface({ input: socket }).on('line', (line) => {
    const reply = waiting.shift();
    if (line.startsWith('-')) {
      reply?.reject(new Error(line));
    } else {
      reply?.resolve(line === '$-1' ? null : line.startsWith(':') ? Number(line.slice(1)) : line.slice(1));
    }
  });
  return {
    sendCommand(command) {
      const reply = Promise.withResolvers<unknown>();
      if (socket.destroyed) {
        reply.reject(new Error('the connection is gone'));
        return reply.promise;
      }
      waiting.push(reply);
      const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
      socket.write(`*${command.length}\r\n${parts.join('')}`);
      return reply.promise;
    },
  };
}
