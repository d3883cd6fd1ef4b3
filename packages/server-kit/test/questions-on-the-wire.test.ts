import { randomBytes } from 'node:crypto';

import {
  createCatalog,
  createMethodTable,
  type AuditOutcome,
  type AuditTrail,
  type JsonObject,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { afterEach, describe, expect, it } from 'vitest';

import type { McpApp } from '../src/index.ts';
import { echoApp, modern, openSession, post } from './mcp-requests.ts';
import { talkingTool } from './talking-tool.ts';

const apps: McpApp[] = [];
function start(options: MethodTableOptions = {}): McpApp {
  const table = createMethodTable(createCatalog({ tools: [talkingTool] }), options);
  const app = echoApp({ table });
  apps.push(app);
  return app;
}
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** A trail that keeps how calls end. */
function keepOutcomes(): AuditTrail & { readonly outcomes: readonly AuditOutcome[] } {
  const outcomes: AuditOutcome[] = [];
  return {
    outcomes,
    begin: () =>
      Promise.resolve({
        finish(outcome) {
          outcomes.push(outcome);
          return Promise.resolve();
        },
      }),
  };
}

const params = { name: 'talk', arguments: { question: 'Who?' } };
const capabilities = { elicitation: { form: {} } };

interface Sent extends JsonObject {
  readonly id?: number;
  readonly method?: string;
  readonly result?: JsonObject;
}

/** The messages of a stream, one after the other, with the id of each event. */
async function* messagesOf(
  response: Response,
): AsyncGenerator<{ readonly event: string; readonly message: Sent }> {
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const lines of events) {
      const data = /^data: (?<data>.+)$/mu.exec(lines)?.groups?.['data'];
      if (data !== undefined) {
        const event = /^id: (?<id>.+)$/mu.exec(lines)?.groups?.['id'] ?? '';
        yield { event, message: JSON.parse(data) as Sent };
      }
    }
  }
}

async function nextOf(messages: AsyncGenerator<{ readonly event: string; readonly message: Sent }>) {
  const { value } = (await messages.next()) as {
    readonly value: { readonly event: string; readonly message: Sent };
  };
  return value;
}

describe('a question in a session of 2025', () => {
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params };
  const answerTo = (id: unknown) => ({
    jsonrpc: '2.0',
    id,
    result: { action: 'accept', content: { name: 'Ada' } },
  });

  it('is answered by the session that was asked, and by no other', async () => {
    const app = start();
    const session = await openSession(app, {}, { capabilities });
    const other = await openSession(app, { 'x-api-key': 'bob' }, { capabilities });
    const messages = messagesOf(await post(app, call, session));
    const { message: question } = await nextOf(messages);
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } });

    expect((await post(app, answerTo(question.id), other)).status).toBe(202);
    await post(
      app,
      { ...answerTo(question.id), result: { action: 'accept', content: { name: 'Bob' } } },
      other,
    );
    expect((await post(app, answerTo(question.id), session)).status).toBe(202);
    expect((await nextOf(messages)).message.result).toMatchObject({ content: [{ text: 'Hello Ada.' }] });
  });

  it('waits for a client that has lost its stream, and comes back', async () => {
    const app = start();
    const session = await openSession(app, {}, { capabilities });
    const leaving = new AbortController();
    const messages = messagesOf(await post(app, call, session, leaving.signal));
    const { event, message: question } = await nextOf(messages);
    leaving.abort();
    await messages.return(undefined).catch(() => undefined);

    expect((await post(app, answerTo(question.id), session)).status).toBe(202);
    const resumed = await app.fetch(
      new Request('http://mcp.test/mcp', {
        headers: { accept: 'text/event-stream', 'x-api-key': 'ann', ...session, 'last-event-id': event },
      }),
    );
    expect((await nextOf(messagesOf(resumed))).message).toMatchObject({
      id: 2,
      result: { content: [{ text: 'Hello Ada.' }] },
    });
  });

  it('cannot be put to a client that reads no streams', async () => {
    const app = start();
    const session = await openSession(app, {}, { capabilities });
    const answer = await post(app, call, { ...session, accept: 'application/json' });
    expect(await answer.json()).toMatchObject({ result: { content: [{ text: 'It was impossible.' }] } });
  });

  it('that nobody answers in time counts as cancelled, and is taken back', async () => {
    const app = start({ answerWithinMs: 30 });
    const session = await openSession(app, {}, { capabilities });
    const messages = messagesOf(await post(app, call, session));
    const { message: question } = await nextOf(messages);
    expect((await nextOf(messages)).message).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: question.id },
    });
    expect((await nextOf(messages)).message.result).toMatchObject({
      content: [{ text: 'It was cancelled.' }],
    });
  });

  it('ends with its session', async () => {
    const audit = keepOutcomes();
    const app = start({ audit });
    const session = await openSession(app, {}, { capabilities });
    const messages = messagesOf(await post(app, call, session));
    await nextOf(messages);
    await app.fetch(
      new Request('http://mcp.test/mcp', { method: 'DELETE', headers: { 'x-api-key': 'ann', ...session } }),
    );
    await expect.poll(() => audit.outcomes.map(({ reason }) => reason)).toEqual(['cancelled']);
  });
});

describe('a question of 2026-07-28', () => {
  const request = modern('tools/call', params);
  const accepted = { action: 'accept', content: { name: 'Ada' } };

  async function ask(app: McpApp, more: JsonObject = {}, headers: Readonly<Record<string, string>> = {}) {
    const meta = { ...request.body.params._meta, 'io.modelcontextprotocol/clientCapabilities': capabilities };
    const body = { ...request.body, params: { ...request.body.params, ...more, _meta: meta } };
    const response = await post(app, body, { ...request.headers, ...headers });
    return {
      status: response.status,
      answer: (await response.json()) as Sent & { readonly error?: JsonObject },
    };
  }

  it('is in the answer, and its answer in a new request', async () => {
    const app = start();
    const { answer } = await ask(app);
    expect(answer.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { 'question-1': { method: 'elicitation/create', params: { message: 'Who?' } } },
      requestState: expect.stringMatching(/^[\w-]+$/u),
    });
    expect(answer.result).not.toHaveProperty('content');
    const requestState = answer.result?.['requestState'];
    const retried = await ask(app, { requestState, inputResponses: { 'question-1': accepted, other: 7 } });
    expect(retried.answer.result).toMatchObject({
      resultType: 'complete',
      content: [{ text: 'Hello Ada.' }],
    });
  });

  it('goes on in another process with the same key, and in no other', async () => {
    const requestStateKey = randomBytes(32);
    const { answer } = await ask(start({ requestStateKey }));
    const retry = {
      requestState: answer.result?.['requestState'],
      inputResponses: { 'question-1': accepted },
    };
    expect((await ask(start({ requestStateKey }), retry)).answer.result).toMatchObject({
      content: [{ text: 'Hello Ada.' }],
    });
    expect((await ask(start(), retry)).answer.error).toMatchObject({
      code: -32602,
      data: { reason: 'invalid_request_state' },
    });
  });

  it('belongs to its caller and its arguments', async () => {
    const app = start();
    const { answer } = await ask(app);
    const retry = {
      requestState: answer.result?.['requestState'],
      inputResponses: { 'question-1': accepted },
    };
    const refused = { code: -32602, data: { reason: 'invalid_request_state' } };
    expect((await ask(app, retry, { 'x-api-key': 'bob' })).answer.error).toMatchObject(refused);
    expect((await ask(app, { ...retry, arguments: { question: 'Why?' } })).answer.error).toMatchObject(
      refused,
    );
    expect((await ask(app, { ...retry, requestState: 7 })).answer.error).toMatchObject({ code: -32602 });
  });

  it('is put again to who answers something else, or without having been asked', async () => {
    const app = start();
    const again = { resultType: 'input_required' };
    expect((await ask(app, { inputResponses: { 'question-1': accepted } })).answer.result).toMatchObject(
      again,
    );
    const { answer } = await ask(app);
    const requestState = answer.result?.['requestState'];
    expect((await ask(app, { requestState })).answer.result).toMatchObject(again);
    expect(
      (await ask(app, { requestState, inputResponses: { other: accepted } })).answer.result,
    ).toMatchObject(again);
  });

  it('expires, and says so', async () => {
    const audit = keepOutcomes();
    const app = start({ answerWithinMs: 1, audit });
    const { answer } = await ask(app);
    const retry = {
      requestState: answer.result?.['requestState'],
      inputResponses: { 'question-1': accepted },
    };
    await expect
      .poll(async () => (await ask(app, retry)).answer.error)
      .toMatchObject({
        code: -32602,
        message: expect.stringContaining('too late'),
        data: { reason: 'request_state_expired' },
      });
    expect(audit.outcomes.at(-1)).toMatchObject({ result: 'failure', reason: 'request_state_expired' });
  });
});
