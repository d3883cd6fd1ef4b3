import { classifyInboundRequest } from '@modelcontextprotocol/server';
import { assert, constantFrom, dictionary, oneof, option, pre, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readMessage } from '../wire/message.ts';
import { isPlainEarlierRequest, isPlainRequest } from './plain-request.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CLIENT = 'io.modelcontextprotocol/clientInfo';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' };

function call(meta: object): object {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', _meta: meta } };
}

function isPlain(body: object, sent: Readonly<Record<string, string>> = headers): boolean {
  return isPlainRequest(readMessage(body), { headers: sent });
}

const envelope = {
  [VERSION]: '2026-07-28',
  [CLIENT]: { name: 'client', version: '1.0.0', title: 'Client' },
  [CAPABILITIES]: { elicitation: { form: {}, url: {} }, sampling: {}, extensions: { 'example/x': {} } },
};

describe('a plain request', () => {
  it('is what usual clients send', () => {
    expect(isPlain(call(envelope))).toBe(true);
    expect(isPlain(call({ ...envelope, progressToken: 7, traceparent: '00-1' }))).toBe(true);
    expect(isPlain(call({ [VERSION]: '2026-07-28', [CAPABILITIES]: {} }))).toBe(true);
  });

  it.each([
    ['another version', call({ ...envelope, [VERSION]: '2027-01-01' }), headers],
    ['another version in the header', call(envelope), { ...headers, 'mcp-protocol-version': '2025-11-25' }],
    ['another method in the header', call(envelope), { ...headers, 'mcp-method': 'tools/list' }],
    ['no header', call(envelope), {}],
    ['no capabilities', call({ ...envelope, [CAPABILITIES]: undefined }), headers],
    ['no envelope', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} }, headers],
    ['initialize', { ...call(envelope), method: 'initialize' }, { ...headers, 'mcp-method': 'initialize' }],
    ['a notification', { jsonrpc: '2.0', method: 'tools/call', params: { _meta: envelope } }, headers],
  ])('is not one with %s', (_, body, sent) => {
    expect(isPlain(body, sent as Readonly<Record<string, string>>)).toBe(false);
  });

  it('is never one that the SDK would refuse, or take for one of another era', () => {
    const scalar = constantFrom<unknown>({}, [], true, 'text', 7, null, { form: {} }, { listChanged: 'yes' });
    const capability = oneof(
      scalar,
      dictionary(constantFrom('form', 'url', 'context', 'tools', 'listChanged', 'example/x'), scalar),
    );
    const capabilities = dictionary(
      constantFrom('sampling', 'elicitation', 'roots', 'extensions', 'experimental', 'tasks', 'other'),
      capability,
    );
    const client = oneof(
      scalar,
      record(
        { name: scalar, version: scalar, title: scalar, icons: scalar, websiteUrl: scalar, other: scalar },
        { requiredKeys: [] },
      ),
      record({ name: string(), version: string() }),
    );
    const meta = record(
      {
        [VERSION]: constantFrom<unknown>('2026-07-28', '2025-11-25', 7),
        [CLIENT]: client,
        [CAPABILITIES]: oneof(scalar, capabilities),
        'io.modelcontextprotocol/logLevel': constantFrom('debug', 'loud', undefined),
        'io.modelcontextprotocol/related-task': constantFrom<unknown>(
          { taskId: 'a' },
          { taskId: 7 },
          undefined,
        ),
        progressToken: constantFrom<unknown>(1, 'a', undefined),
      },
      { requiredKeys: [VERSION, CAPABILITIES] },
    );
    let plain = 0;
    assert(
      property(meta, (sent) => {
        const body = JSON.parse(JSON.stringify(call(sent))) as object;
        pre(isPlain(body));
        plain += 1;
        const route = classifyInboundRequest({
          httpMethod: 'POST',
          protocolVersionHeader: headers['mcp-protocol-version'],
          mcpMethodHeader: headers['mcp-method'],
          body,
        });
        expect(route).toMatchObject({ kind: 'modern', classification: { revision: '2026-07-28' } });
      }),
      { numRuns: 100, maxSkipsPerRun: 1_000 },
    );
    expect(plain).toBeGreaterThanOrEqual(100);
  });
});

describe('a plain request of an earlier revision', () => {
  const isEarlier = (body: object, sent: Readonly<Record<string, string>> = {}) =>
    isPlainEarlierRequest(readMessage(body), { headers: sent });
  const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } };

  it('is what usual clients send', () => {
    expect(isEarlier(request)).toBe(true);
    expect(isEarlier(request, { 'mcp-protocol-version': '2025-11-25' })).toBe(true);
    expect(isEarlier(call({ progressToken: 7 }), { 'mcp-protocol-version': '2025-06-18' })).toBe(true);
    expect(isEarlier({ jsonrpc: '2.0', id: 'a', method: 'tools/list' })).toBe(true);
  });

  it('is never one that the SDK would refuse, or take for one of 2026-07-28', () => {
    const value = constantFrom<unknown>(
      {},
      [],
      null,
      7,
      'text',
      '2026-07-28',
      { taskId: 'a' },
      { taskId: 7 },
    );
    const meta = dictionary(
      constantFrom(VERSION, CLIENT, 'io.modelcontextprotocol/related-task', 'progressToken', 'other'),
      value,
    );
    const version = constantFrom('2025-11-25', '2024-10-07', '2026-07-28', '2027-01-01', '2025', '', 'draft');
    const message = record(
      {
        jsonrpc: constantFrom('2.0'),
        id: constantFrom<unknown>(1, 'a', undefined),
        method: constantFrom('tools/call', 'initialize', 'ping', 'notifications/x', ''),
        params: oneof(meta, record({ name: value, _meta: oneof(meta, value) }, { requiredKeys: [] })),
      },
      { requiredKeys: ['jsonrpc', 'method'] },
    );
    let plain = 0;
    assert(
      property(message, option(version, { nil: undefined }), (sent, header) => {
        const body = JSON.parse(JSON.stringify(sent)) as object;
        const facts = header === undefined ? {} : { 'mcp-protocol-version': header };
        pre(isEarlier(body, facts));
        plain += 1;
        const route = classifyInboundRequest({
          httpMethod: 'POST',
          ...(header !== undefined && { protocolVersionHeader: header }),
          body,
        });
        expect(route).toMatchObject({ kind: 'legacy', reason: 'no-claim' });
      }),
      { numRuns: 300, maxSkipsPerRun: 1_000 },
    );
    expect(plain).toBeGreaterThanOrEqual(300);
  });
});
