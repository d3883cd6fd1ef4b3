import { callFor, defineEndpoint, type Client } from '@mcp-parts/resilient-client';
import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

const getForecast = defineEndpoint({
  id: 'forecasts.get',
  method: 'GET',
  path: '/forecasts/{city}',
  response: z.object({ degrees: z.number(), sky: z.string() }),
  explain: { 404: 'There is no forecast for this city. Ask the person for a larger one nearby.' },
});

/** `get_forecast`: retries, time-outs and circuits are the client's; the model is told what to do when all is in vain. */
export function createGetForecast(backend: Client) {
  return defineTool({
    name: 'get_forecast',
    title: 'Get forecast',
    description: 'Forecasts the weather of tomorrow in a city. Returns degrees Celsius and the sky.',
    input: z.strictObject({ city: z.string().min(1).max(60) }),
    output: z.object({ degrees: z.number(), sky: z.string() }),
    annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: true },
    permission: 'forecasts:read',
    handle: ({ city }, context) => callFor(context, backend, getForecast, { params: { city } }),
    text: ({ degrees, sky }, { city }) => `Tomorrow in ${city}: ${sky}, ${degrees} °C.`,
  });
}
