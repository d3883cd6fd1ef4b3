import { expect } from 'vitest';

import type { TestServer } from './http-server.ts';
import { messagesOf, modernCall, send } from './raw-request.ts';

/** Asserts that a call which reaches a backend is answered. */
export async function assertServes(server: TestServer, token: string): Promise<void> {
  const answer = await send(server.url, modernCall(token, 'list_services', { search: 'fraud' }));
  expect(answer.status).toBe(200);
  const services = [expect.objectContaining({ name: 'fraud-service' })];
  expect(messagesOf(answer)).toMatchObject([{ result: { structuredContent: { services } } }]);
}
