import { Connection } from '../http/connection.ts';
import type { Wire } from '../http/contenders.ts';
import type { Issuer } from '../http/issuer.ts';
import { echo } from '../http/tools.ts';
import { createSpeaker, openSession, withToken, type RequestParts, type Speaker } from '../http/wire.ts';

/** One visit of a client, from its first connection to its end or disappearance. */
type Visit = (client: Client) => Promise<void>;

interface Client {
  readonly token: string;
  readonly forgedToken: string;
  /** A new connection, which is cut when the visit is over. */
  readonly connect: () => Promise<Connection>;
  /** A session on that connection. */
  readonly open: (connection: Connection) => Promise<Speaker>;
  readonly modern: Speaker;
  /** Sends and checks the status. */
  readonly send: (connection: Connection, request: RequestParts, status?: number) => Promise<void>;
  /** Sends without waiting for the response. */
  readonly begin: (connection: Connection, request: RequestParts) => Promise<void>;
}

const hello = { name: echo.name, arguments: { message: 'hello' } };

/** What clients do, in both eras: most work, some make mistakes, some go away in the middle. */
export const visits: Readonly<Record<string, Visit>> = {
  async 'calls and leaves'({ connect, modern, send }) {
    const connection = await connect();
    for (let call = 0; call < 5; call += 1) {
      await send(connection, modern.request('tools/call', hello));
    }
    await send(connection, modern.request('tools/list'));
  },
  async 'makes mistakes'({ connect, modern, send }) {
    const connection = await connect();
    await send(connection, modern.request('tools/call', { name: echo.name, arguments: { message: 7 } }));
    await send(connection, modern.request('tools/call', { name: 'fail', arguments: {} }));
    await send(connection, modern.post('{"jsonrpc":"2.0",'), 400);
  },
  async 'has a forged token'({ connect, modern, forgedToken }) {
    const connection = await connect();
    const { status } = await connection.send(withToken(modern.request('tools/call', hello), forgedToken));
    expectStatus(status, 401);
  },
  async 'goes away during a call'({ connect, modern, begin }) {
    await begin(await connect(), modern.request('tools/call', { name: 'wait', arguments: {} }));
  },
  async 'opens and ends a session'({ connect, open, send }) {
    const connection = await connect();
    const session = await open(connection);
    for (let call = 0; call < 3; call += 1) {
      await send(connection, session.request('tools/call', hello));
    }
    await send(connection, session.end());
  },
  async 'abandons a session'({ connect, open, send }) {
    const connection = await connect();
    const session = await open(connection);
    await send(connection, session.request('tools/list'));
  },
  async 'abandons a session and its stream'({ connect, open, token }) {
    const session = await open(await connect());
    await (await connect()).openStream(withToken(session.stream(), token));
  },
  async 'abandons a session during a call'({ connect, open, begin }) {
    const connection = await connect();
    const session = await open(connection);
    await begin(connection, session.request('tools/call', { name: 'wait', arguments: {} }));
  },
};

/** Makes visits to the server at `url` by several people. `visit` makes the visit of this name. */
export function createVisitors(
  url: string,
  issuer: Issuer,
): { readonly visit: (name: string) => Promise<void> } {
  const tokens = Array.from({ length: 50 }, (_, index) => issuer.token(`person-${index}`));
  const forgedToken = issuer.forgedToken();
  const speak = (wire: Wire, sessionId?: string) => createSpeaker(url, wire, sessionId);
  let turn = 0;
  return {
    async visit(name) {
      using stack = new DisposableStack();
      turn += 1;
      const token = tokens[turn % tokens.length] ?? '';
      await visits[name]?.({
        token,
        forgedToken,
        modern: speak('2026'),
        connect: async () => stack.use(await Connection.open(url)),
        open: async (connection) => speak('session', await openSession(connection, url, token)),
        async send(connection, request, status = 200) {
          expectStatus((await connection.send(withToken(request, token))).status, status);
        },
        async begin(connection, request) {
          // Cut while it runs; that the rest is rejected is what was asked for.
          connection.send(withToken(request, token)).catch(() => {});
          await new Promise((resolve) => {
            setTimeout(resolve, 20);
          });
        },
      });
    },
  };
}

function expectStatus(status: number, expected: number): void {
  if (status !== expected) {
    throw new Error(`answered ${status}, not ${expected}`);
  }
}
