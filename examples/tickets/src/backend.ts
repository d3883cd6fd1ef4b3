import { createClient, createClientCredentials, defineEndpoint } from '@mcp-parts/resilient-client';
import { z } from 'zod';

/** A ticket as the tickets service has it. */
export const ticket = z.object({ id: z.string(), title: z.string(), state: z.enum(['open', 'closed']) });
const page = z.object({ tickets: z.array(ticket) });
const id = 'tickets.';

/** The six endpoints of the tickets service. */
export const endpoints = {
  list: defineEndpoint({ id: `${id}list`, method: 'GET', path: '/tickets', response: page }),
  get: defineEndpoint({ id: `${id}get`, method: 'GET', path: '/tickets/{id}', response: ticket }),
  create: defineEndpoint({
    id: `${id}create`,
    method: 'POST',
    path: '/tickets',
    body: z.object({ title: z.string() }),
    response: ticket,
    replay: 'key',
  }),
  comment: defineEndpoint({
    id: `${id}comment`,
    method: 'POST',
    path: '/tickets/{id}/comments',
    body: z.object({ text: z.string() }),
    response: z.object({ id: z.string() }),
    replay: 'key',
  }),
  close: defineEndpoint({ id: `${id}close`, method: 'PUT', path: '/tickets/{id}/closed', response: ticket }),
  reopen: defineEndpoint({
    id: `${id}reopen`,
    method: 'DELETE',
    path: '/tickets/{id}/closed',
    response: ticket,
  }),
};

/** Connects to the tickets service with this server's own token. */
export function connectBackend(options: {
  baseUrl: string;
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
}) {
  const { baseUrl, tokenUrl, clientId, clientSecret } = options;
  const token = createClientCredentials({ tokenUrl, clientId, clientSecret: () => clientSecret });
  return createClient({ name: 'tickets service', baseUrl, token });
}
