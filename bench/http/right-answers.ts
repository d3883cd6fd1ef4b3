import { Connection } from './connection.ts';
import { FLOOR, type Contender } from './contenders.ts';
import type { Issuer } from './issuer.ts';
import type { ServerProcess } from './server-process.ts';
import { echo, record, recordOf, TOOL_COUNT } from './tools.ts';
import { createSpeaker, messageOf, openSession, withToken } from './wire.ts';

/**
 * Who does less work than the others wins unfairly: every contender lists its tools, runs two, refuses wrong arguments,
 * and, where it asks for a token, refuses to work without one and with one that somebody else has signed.
 *
 * @throws {Error} naming the contender and what it did.
 */
export async function checkAnswers(
  contender: Contender,
  server: ServerProcess,
  issuer: Issuer,
): Promise<void> {
  using connection = await Connection.open(server.url);
  const token = contender.token === 'none' ? undefined : issuer.token();
  const sessionId =
    contender.wire === 'session' ? await openSession(connection, server.url, token) : undefined;
  const speaker = createSpeaker(server.url, contender.wire, sessionId);
  const call = async (method: string, params: object) => {
    const response = await connection.send(withToken(speaker.request(method, params), token));
    return { text: response.body.toString(), ...messageOf(response) };
  };
  const expect = (isRight: boolean, what: string, got: unknown) => {
    if (!isRight) {
      throw new Error(`${contender.name}: ${what}, got ${JSON.stringify(got)?.slice(0, 800)}`);
    }
  };

  const list = await call('tools/list', {});
  expect(list.result?.tools?.length === TOOL_COUNT, `must list ${TOOL_COUNT} tools`, list);
  const echoed = await call('tools/call', { name: echo.name, arguments: { message: 'hello' } });
  expect(echoed.result?.content?.[0]?.text === 'hello', 'must echo', echoed);
  const read = await call('tools/call', { name: record.name, arguments: { id: 'r-1' } });
  expect(
    JSON.stringify(read.result?.structuredContent) === JSON.stringify(recordOf('r-1')),
    'must read a record',
    read,
  );
  if (contender.name === FLOOR) {
    return;
  }
  const invalid = await call('tools/call', { name: echo.name, arguments: { message: 7 } });
  expect(
    invalid.error !== undefined || invalid.result?.isError === true,
    'must refuse wrong arguments',
    invalid,
  );
  if (token !== undefined) {
    const echoParts = speaker.request('tools/call', { name: echo.name, arguments: { message: 'hello' } });
    for (const wrong of [undefined, issuer.forgedToken(), `${token.slice(0, -8)}AAAAAAAA`]) {
      const { status } = await connection.send(withToken(echoParts, wrong));
      expect(status === 401, 'must refuse a wrong token', status);
    }
  }
}
