import { createClient, defineEndpoint, type Client } from '@mcp-parts/resilient-client';
import { z } from 'zod';

/** What the backend can do, said once. */
export const endpoints = {
  get: defineEndpoint({
    id: 'items.get',
    method: 'GET',
    path: '/items/{item}',
    query: z.object({ key: z.string() }),
    response: z.object({ pieces: z.number() }),
    explain: { 404: 'There is no such item. Ask the person for its number.' },
  }),
  delete: defineEndpoint({
    id: 'items.delete',
    method: 'DELETE',
    path: '/items/{item}',
    query: z.object({ key: z.string() }),
    response: z.unknown(),
  }),
};

/** The backend with deadlines, retries where they do no harm, and errors that a model may read. */
export function connectBackend(baseUrl: string): Client {
  return createClient({ name: 'stock service', baseUrl });
}
