import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openAuditTrail } from '@mcp-parts/audit';
import { connect, testCaller } from '@mcp-parts/testing';
import { createCatalog, createMethodTable, defineTool } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';

import { createQueueSink, type Queue } from '../src/queue-sink.ts';

const waterPlants = defineTool({
  name: 'water_plants',
  description: 'Waters the plants of a room.',
  input: z.strictObject({ room: z.string() }),
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  permission: 'plants:water',
  audit: ({ room }) => ({ resource: room }),
  handle: async ({ room }) => `The plants in the ${room} are watered.`,
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'audit-sink-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('ships who did what, in order, also when the queue was away for a moment', async () => {
  const received = new Map<string, string>();
  let attempts = 0;
  const queue: Queue = {
    async send({ key, body }) {
      attempts += 1;
      if (attempts === 1) {
        throw new Error('the queue is away');
      }
      received.set(key, body);
    },
  };
  const audit = await openAuditTrail({
    directory,
    sinks: [createQueueSink(queue)],
    server: { name: 'plants', version: '1.0.0' },
    deliveryIntervalMs: 10,
  });
  const table = createMethodTable(createCatalog({ tools: [waterPlants] }), { audit });
  await using gardener = await connect(table, {
    era: '2026',
    caller: testCaller({ id: 'local#gardener', permissions: ['plants:water'] }),
  });

  await gardener.client.callTool({ name: 'water_plants', arguments: { room: 'hall' } });
  await audit.close();

  const events = [...received.values()].flatMap((body) => body.split('\n')).map((line) => JSON.parse(line));
  expect(attempts).toBeGreaterThan(1);
  expect(events).toMatchObject([
    { stage: 'intent', target: 'water_plants', resource: 'hall', actor: { id: 'local#gardener' } },
    { stage: 'outcome', result: 'success' },
  ]);
});
