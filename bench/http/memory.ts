import { Connection } from './connection.ts';
import { contenders, EVERYTHING_SESSION, SDK_1, type Contender } from './contenders.ts';
import type { Issuer } from './issuer.ts';
import { createTarget } from './load.ts';
import { startServer, type ServerProcess, type StartOptions } from './server-process.ts';
import { createSpeaker, openSession, withToken } from './wire.ts';

const CALLS = 10_000;
const SESSIONS = 1_000;
/** As many people share the sessions: no caller may have all of them. */
const PEOPLE = 100;
const WARM_UP_SESSIONS = 200;

/** Where sessions are weighed too. The others have none, or do not take 1,200 of them. */
const withSessions: readonly string[] = [SDK_1, EVERYTHING_SESSION];

/** What a contender holds. */
export interface MemoryRow {
  readonly contender: string;
  /** After 10,000 calls by 16 callers, as the system counts it: the median of the rounds. */
  readonly rssMiB: number;
  readonly perSession?: PerSession | undefined;
}

/** What a session more costs, in KiB. Held: the heap and what it keeps alive outside of it. RSS: noisy. */
interface PerSession {
  readonly idleHeldKiB: number;
  readonly idleRssKiB: number;
  /** The session and its open event stream. */
  readonly streamingHeldKiB: number;
  readonly streamingRssKiB: number;
}

/** Measures each in a new process, one after the other, round by round. */
export async function measureMemory(
  names: readonly string[],
  rounds: number,
  issuer: Issuer,
  options: StartOptions,
): Promise<readonly MemoryRow[]> {
  const measured = contenders.filter(({ name }) => names.includes(name));
  const rss = new Map<Contender, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of measured) {
      await using server = await startServer(contender.server, options);
      await createTarget(contender, server, issuer).repeat('echo', { callers: 16, times: CALLS });
      const { rssBytes } = await server.ask('usage');
      rss.set(contender, [...(rss.get(contender) ?? []), rssBytes]);
    }
  }
  const rows: MemoryRow[] = [];
  for (const contender of measured) {
    const sorted = (rss.get(contender) ?? []).toSorted((a, b) => a - b);
    rows.push({
      contender: contender.name,
      rssMiB: Math.round((sorted[sorted.length >> 1] ?? Number.NaN) / 2 ** 20),
      ...(withSessions.includes(contender.name) && {
        perSession: await measureSessions(contender, issuer, options),
      }),
    });
  }
  return rows;
}

async function measureSessions(
  contender: Contender,
  issuer: Issuer,
  options: StartOptions,
): Promise<PerSession> {
  await using server = await startServer(contender.server, options);
  using stack = new DisposableStack();
  const tokens = Array.from({ length: PEOPLE }, (_, index) =>
    contender.token === 'none' ? undefined : issuer.token(`person-${index}`),
  );
  await openSessions(server, tokens, WARM_UP_SESSIONS);
  const before = await server.ask('collected');
  const sessions = await openSessions(server, tokens, SESSIONS);
  const idle = await server.ask('collected');
  for (const { id, token } of sessions) {
    const connection = stack.use(await Connection.open(server.url));
    const head = await connection.openStream(
      withToken(createSpeaker(server.url, 'session', id).stream(), token),
    );
    if (!head.startsWith('HTTP/1.1 200')) {
      throw new Error(`${contender.name}: no stream: ${head}`);
    }
  }
  const streaming = await server.ask('collected');
  const each = (after: number, at: number) => Number(((after - at) / SESSIONS / 1_024).toFixed(1));
  return {
    idleHeldKiB: each(idle.heldBytes, before.heldBytes),
    idleRssKiB: each(idle.rssBytes, before.rssBytes),
    streamingHeldKiB: each(streaming.heldBytes, before.heldBytes),
    streamingRssKiB: each(streaming.rssBytes, before.rssBytes),
  };
}

async function openSessions(
  server: ServerProcess,
  tokens: readonly (string | undefined)[],
  count: number,
): Promise<readonly { readonly id: string; readonly token: string | undefined }[]> {
  using connection = await Connection.open(server.url);
  const sessions = [];
  for (let index = 0; index < count; index += 1) {
    const token = tokens[index % tokens.length];
    sessions.push({ id: await openSession(connection, server.url, token), token });
  }
  return sessions;
}
