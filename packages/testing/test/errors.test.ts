import {
  createCatalog,
  createErrors,
  createMethodTable,
  defineTool,
  PublicError,
  textContent,
  type CallMeasurement,
  type MethodTableOptions,
} from '@mcp-parts/tool-kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connect, recordingAudit, testCaller } from '../src/index.ts';

const caller = testCaller({ permissions: ['rooms:book'] });
const errors = createErrors({
  room_taken: {
    when: 'Somebody has the room then',
    whatToDo: 'Offer the person another time.',
    isListed: true,
  },
  room_closed: { when: 'The room is closed', whatToDo: 'Offer the person another room.' },
});
const shared = {
  input: z.strictObject({ room: z.string() }),
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  permission: 'rooms:book',
  errors,
} as const;

function book(room: string): void {
  switch (room) {
    case 'taken':
      throw errors.room_taken({ message: 'Ada has the room at ten.', cause: new Error('hunter2') });
    case 'closed':
      throw errors.room_closed();
    case 'odd':
      throw new PublicError(`room ${room} 8123!`, 'It is odd.');
    default:
  }
}

const tools = [
  defineTool({
    ...shared,
    name: 'book_room',
    description: 'Books a room.',
    output: z.object({ bookingId: z.string() }),
    async handle({ room }) {
      book(room);
      return { bookingId: '1' };
    },
  }),
  defineTool({
    ...shared,
    name: 'show_room',
    description: 'Shows a room.',
    limit: { perMinute: 1 },
    async handle({ room }) {
      book(room);
      return [textContent('Shown.')];
    },
  }),
];

function tableWith(options: MethodTableOptions = {}) {
  const rateLimiter = { consume: () => ({ allowed: true }) as const };
  return createMethodTable(createCatalog({ tools }), { rateLimiter, ...options });
}

const taken = { code: 'room_taken', nextStep: 'Offer the person another time.' };
const words = 'Ada has the room at ten. Offer the person another time.';

describe.each(['2025', '2026'] as const)('an error that a tool declares, for a client of %s', (era) => {
  it('is complete as a text, and for programs beside it', async () => {
    await using connection = await connect(tableWith(), { era, caller });
    // The client knows the output schema by then, and checks what is structured against it.
    await connection.client.listTools();
    const answer = await connection.client.callTool({ name: 'book_room', arguments: { room: 'taken' } });

    expect(answer).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: words }],
      _meta: { 'mcp-parts/failure': taken },
    });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('is complete as structured content, where no output schema forbids it', async () => {
    await using connection = await connect(tableWith(), { era, caller });
    await connection.client.listTools();
    const call = (room: string) => connection.client.callTool({ name: 'show_room', arguments: { room } });

    expect(await call('taken')).toMatchObject({
      content: [{ text: words }],
      structuredContent: { message: words, ...taken },
    });
    expect(await call('closed')).toMatchObject({
      content: [{ text: 'The room is closed. Offer the person another room.' }],
      structuredContent: { code: 'room_closed' },
    });
  });

  it('is listed in the description where the author wants it', async () => {
    await using connection = await connect(tableWith(), { era, caller });
    expect((await connection.client.listTools()).tools[0]?.description).toBe(
      'Books a room. Somebody has the room then (room_taken): Offer the person another time.',
    );
  });

  it('is in the audit trail and the metrics by its code, and metrics take nothing but codes', async () => {
    const audit = recordingAudit();
    const measured: CallMeasurement[] = [];
    const telemetry = {
      span: <T>(_name: string, _attributes: object, run: () => Promise<T>) => run(),
      recordCall: (call: CallMeasurement) => void measured.push(call),
    };
    await using connection = await connect(tableWith({ audit, telemetry }), { era, caller });
    const call = (room: string) => connection.client.callTool({ name: 'book_room', arguments: { room } });
    await call('taken');
    await call('odd');

    expect(audit.calls).toMatchObject([
      { outcome: { result: 'failure', reason: 'room_taken' } },
      { outcome: { result: 'failure', reason: 'room odd 8123!' } },
    ]);
    expect(measured.map(({ reason }) => reason)).toEqual(['room_taken', '_other']);
  });

  it('tells of a limit when to try again, in both forms', async () => {
    const rateLimiter = { consume: () => ({ allowed: false, retryAfterMs: 4_200 }) as const };
    await using connection = await connect(tableWith({ rateLimiter }), { era, caller });
    const text = 'Too many calls of this tool. Nothing was done. Wait 5 s, then try again.';

    const facts = { code: 'rate_limited', nextStep: 'Wait 5 s, then try again.', retryAfterMs: 5_000 };
    expect(await connection.client.callTool({ name: 'show_room', arguments: { room: 'a' } })).toMatchObject({
      isError: true,
      content: [{ text }],
      structuredContent: { message: text, ...facts },
      _meta: { 'mcp-parts/failure': facts },
    });
  });

  it('tells of a limit on lists when to try again', async () => {
    const rateLimiter = { consume: () => ({ allowed: false, retryAfterMs: 4_200 }) as const };
    const table = tableWith({ rateLimiter, callerLimit: { perMinute: 1 } });
    await using connection = await connect(table, { era, caller });

    await expect(connection.client.listTools()).rejects.toMatchObject({
      data: { reason: 'rate_limited', retryAfterMs: 5_000 },
    });
  });
});
