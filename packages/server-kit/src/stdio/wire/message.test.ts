import { describe, expect, it } from 'vitest';

import { readMessage } from './message.ts';

const read = (text: string | Buffer) => readMessage(Buffer.from(text));
const answerTo = (text: string | Buffer) => {
  const incoming = read(text);
  return incoming?.kind === 'fault' ? [incoming.answer.error.code, incoming.answer.id] : incoming?.kind;
};

describe('readMessage', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', 'request'],
    ['{"jsonrpc":"2.0","id":"","method":"ping","params":{}}', 'request'],
    ['{"jsonrpc":"2.0","method":"notifications/initialized"}', 'notification'],
    ['{"jsonrpc":"2.0","id":1,"result":{}}', 'response'],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}', 'response'],
    ['{"jsonrpc":"2.0","result":{}}', 'ignored'],
    ['[]', 'batch'],
    ['\uFEFF {"jsonrpc":"2.0","id":1,"method":"ping"} ', 'request'],
    [' \t ', undefined],
    ['\uFEFF', undefined],
  ])('takes %s for a %s', (text, kind) => {
    expect(answerTo(text)).toBe(kind);
  });

  it.each([
    ['no JSON', 'GET / HTTP/1.1'],
    ['half a message', '{"jsonrpc":'],
    ['two messages', '{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['what is nested too deep', '['.repeat(200_000)],
    ['what is closed too deep', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
  ])('answers %s with -32700', (_, text) => {
    expect(answerTo(text)).toEqual([-32700, null]);
  });

  it.each([
    ['{}', null],
    ['null', null],
    ['"text"', null],
    ['5', null],
    ['{"id":7,"method":"ping"}', 7],
    ['{"jsonrpc":"1.0","id":7,"method":"ping"}', 7],
    ['{"jsonrpc":2,"id":"a","method":"ping"}', 'a'],
    ['{"jsonrpc":"2.0","id":7}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":5}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":null}', 7],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', null],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', null],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', null],
    ['{"jsonrpc":"2.0","id":true,"method":"ping"}', null],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":null}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","more":1}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":5}}', 7],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"progressToken":{}}}}', 7],
    [
      '{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":7}}}}',
      7,
    ],
    ['{"jsonrpc":"2.0","method":"notifications/initialized","params":[]}', null],
  ])('answers %s with -32600 and the id %j', (text, id) => {
    expect(answerTo(text)).toEqual([-32600, id]);
  });

  it('repeats nothing of the client in an error', () => {
    expect(JSON.stringify(read('{"jsonrpc":"2.0","canary":"canary"}'))).not.toContain('canary');
  });
});
