import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createClient } from '@mcp-parts/resilient-client';
import { connect, recordingAudit, testCaller } from '@mcp-parts/testing';
import { createCatalog, createMethodTable } from '@mcp-parts/tool-kit';
import { afterEach, expect, it } from 'vitest';

import { createGetForecast } from '../src/weather.ts';

const started: Server[] = [];
afterEach(() => started.splice(0).forEach((server) => server.closeAllConnections() ?? server.close()));

/** The weather service, as it behaves today. */
async function weatherService(behave: RequestListener): Promise<string> {
  const server = createServer(behave).listen(0, '127.0.0.1');
  started.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A conversation about Paris, and what the trail keeps of it. */
async function askForParis(baseUrl: string) {
  await using backend = createClient({ name: 'weather service', baseUrl });
  const audit = recordingAudit();
  const table = createMethodTable(createCatalog({ tools: [createGetForecast(backend)] }), { audit });
  const caller = testCaller({ permissions: ['forecasts:read'] });
  await using connection = await connect(table, { era: '2026', caller });
  const answer = await connection.client.callTool({ name: 'get_forecast', arguments: { city: 'Paris' } });
  return { answer, calls: audit.calls };
}

const forecast = JSON.stringify({ degrees: 21, sky: 'clear' });

it('gets the forecast from a backend that fails every other time', async () => {
  let requests = 0;
  const url = await weatherService((_request, response) => {
    requests += 1;
    response.writeHead(requests % 2 === 1 ? 503 : 200, { 'content-type': 'application/json' }).end(forecast);
  });

  const { answer, calls } = await askForParis(url);

  expect(answer.structuredContent).toEqual({ degrees: 21, sky: 'clear' });
  expect(calls).toMatchObject([
    { outcome: { result: 'success', upstreamCalls: [{ upstream: 'weather service', attempts: 2 }] } },
  ]);
});

it('tells the model what to do when there is no forecast, and the trail why', async () => {
  const url = await weatherService((_request, response) => response.writeHead(404).end());

  const { answer, calls } = await askForParis(url);

  expect(answer).toMatchObject({
    isError: true,
    content: [{ text: 'There is no forecast for this city. Ask the person for a larger one nearby.' }],
  });
  expect(calls).toMatchObject([{ outcome: { result: 'failure', reason: 'not_found' } }]);
});

it('shows the model nothing of where the backend is', async () => {
  const url = await weatherService((request) => request.socket.destroy());

  const { answer } = await askForParis(url);

  expect(answer.isError).toBe(true);
  expect(JSON.stringify(answer)).not.toContain('127.0.0.1');
});
