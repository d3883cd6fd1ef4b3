import { setTimeout as sleep } from 'node:timers/promises';

import { Connection, type HttpResponse } from './connection.ts';
import type { Contender } from './contenders.ts';
import type { Issuer } from './issuer.ts';
import type { ServerProcess } from './server-process.ts';
import { echo, record } from './tools.ts';
import { createSpeaker, openSession, withToken } from './wire.ts';

/** What is asked again and again. */
const calls = {
  echo: {
    method: 'tools/call',
    params: { name: echo.name, arguments: { message: 'hello' } },
    mark: Buffer.from('hello'),
  },
  record: {
    method: 'tools/call',
    params: { name: record.name, arguments: { id: 'r-1' } },
    mark: Buffer.from('xxxxxxxx'),
  },
  list: { method: 'tools/list', params: {}, mark: Buffer.from('"tools"') },
} as const;

export type CallName = keyof typeof calls;

/** What came of a slice of load. */
export interface Slice {
  readonly callsPerSecond: number;
  /** User and system time of the server process, all threads, by call. */
  readonly cpuMicrosPerCall: number;
  readonly latenciesMs: readonly number[];
  /** Calls that the server turned away because it was too busy. */
  readonly shed: number;
}

/** A contender that runs, and its callers. */
export interface Target {
  readonly contender: Contender;
  readonly server: ServerProcess;
  /** Loops of calls, one to a caller and connection; lasts `forMs`, and some hundred calls at least. */
  readonly run: (
    call: CallName,
    options: { readonly callers: number; readonly warmUpMs: number; readonly forMs: number },
  ) => Promise<Slice>;
  readonly repeat: (
    call: CallName,
    options: { readonly callers: number; readonly times: number },
  ) => Promise<void>;
}

/** More calls in a second than any contender that needs new tokens will answer. */
const FRESH_TOKENS_PER_SECOND = 6_000;

const BUSY_MS = 50;
/** A slice of a busy machine lasts longer instead of telling less. */
const MIN_CALLS = 300;

/** Prepares the callers of a contender. */
export function createTarget(contender: Contender, server: ServerProcess, issuer: Issuer): Target {
  const sessionIds: (string | undefined)[] = [];
  const token = contender.token === 'none' ? undefined : issuer.token();
  const freshTokens: string[] = [];

  /** Connects; a caller keeps its session from slice to slice, which are longer apart than servers keep sockets. */
  const openCaller = async (index: number) => {
    const connection = await Connection.open(server.url);
    if (contender.wire === 'session') {
      sessionIds[index] ??= await openSession(connection, server.url, token);
    }
    return { connection, speaker: createSpeaker(server.url, contender.wire, sessionIds[index]) };
  };

  async function loop(
    call: CallName,
    callers: Awaited<ReturnType<typeof openCaller>>[],
    goesOn: () => boolean,
    onCall: (latencyMs: number) => void,
    onShed: () => void,
  ): Promise<void> {
    const { method, params, mark } = calls[call];
    await Promise.all(
      callers.map(async ({ connection, speaker }) => {
        const parts = speaker.request(method, params);
        const fixed = Buffer.from(withToken(parts, token));
        while (goesOn()) {
          const request =
            contender.token === 'fresh' ? withToken(parts, freshTokens.pop() ?? issuer.token()) : fixed;
          const at = performance.now();
          const response = await connection.send(request);
          if (response.status === 503) {
            // Too busy, says a server that watches that: on a machine which runs other things too. Asked again later.
            onShed();
            await sleep(BUSY_MS);
            continue;
          }
          onCall(performance.now() - at);
          if (response.status !== 200 || !response.body.includes(mark)) {
            throw wrong(contender, response);
          }
        }
      }),
    );
  }

  const withCallers = async <T>(
    count: number,
    use: (callers: Awaited<ReturnType<typeof openCaller>>[]) => Promise<T>,
  ): Promise<T> => {
    const callers = await Promise.all(Array.from({ length: count }, (_, index) => openCaller(index)));
    try {
      return await use(callers);
    } finally {
      for (const { connection } of callers) {
        connection[Symbol.dispose]();
      }
    }
  };

  return {
    contender,
    server,
    run(call, { callers: count, warmUpMs, forMs }) {
      if (contender.token === 'fresh') {
        // Signed while nothing is measured: 2048 bits take longer to sign than to serve.
        const wanted = ((warmUpMs + forMs) / 1_000) * FRESH_TOKENS_PER_SECOND;
        while (freshTokens.length < wanted) {
          freshTokens.push(issuer.token());
        }
      }
      return withCallers(count, async (callers) => {
        const warmsUp = lasting(warmUpMs);
        let warmUpCalls = 0;
        await loop(
          call,
          callers,
          () => warmsUp() || warmUpCalls < MIN_CALLS,
          () => (warmUpCalls += 1),
          ignore,
        );
        const latenciesMs: number[] = [];
        let shed = 0;
        const before = await server.ask('usage');
        const startedAt = performance.now();
        const goesOn = lasting(forMs);
        await loop(
          call,
          callers,
          () => goesOn() || latenciesMs.length < MIN_CALLS,
          (latencyMs) => latenciesMs.push(latencyMs),
          () => (shed += 1),
        );
        const seconds = (performance.now() - startedAt) / 1_000;
        const after = await server.ask('usage');
        return {
          callsPerSecond: latenciesMs.length / seconds,
          cpuMicrosPerCall: (after.cpuMicros - before.cpuMicros) / latenciesMs.length,
          latenciesMs,
          shed,
        };
      });
    },
    repeat: (call, { callers: count, times }) =>
      withCallers(count, (callers) => {
        let left = times;
        return loop(call, callers, () => left-- > 0, ignore, ignore);
      }),
  };
}

function ignore(): void {}

function lasting(ms: number): () => boolean {
  const until = performance.now() + ms;
  return () => performance.now() < until;
}

function wrong({ name }: Contender, { status, body }: HttpResponse): Error {
  return new Error(`${name} answered ${status} ${body.toString().slice(0, 500)}`);
}
