import { defineResource } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from './harmless.ts';
import { PIXEL_PNG } from './samples.ts';

const { permission } = harmless;

const text = defineResource({
  name: 'static-text',
  title: 'A text',
  description: 'A text that never changes.',
  uriTemplate: 'test://static-text',
  mimeType: 'text/plain',
  parameters: z.object({}),
  permission,
  cache: { ttlMs: 60_000, scope: 'public' },
  list: async () => [{ uri: 'test://static-text', name: 'static-text', annotations: { priority: 0.5 } }],
  read: async () => 'This is the content of the static text resource.',
});

const binary = defineResource({
  name: 'static-binary',
  title: 'A picture',
  description: 'A picture that never changes.',
  uriTemplate: 'test://static-binary',
  mimeType: 'image/png',
  parameters: z.object({}),
  permission,
  list: async () => [{ uri: 'test://static-binary', name: 'static-binary' }],
  read: async () => Buffer.from(PIXEL_PNG, 'base64'),
});

const record = defineResource({
  name: 'template',
  title: 'Records',
  description: 'One record for each id.',
  uriTemplate: 'test://template/{id}/data',
  parameters: z.object({ id: z.string() }),
  permission,
  complete: { id: async (prefix) => ['1', '12', '123'].filter((id) => id.startsWith(prefix)) },
  list: async () => [{ uri: 'test://template/123/data', name: 'record 123' }],
  read: async ({ id }) => ({ id, templateTest: true, data: `Data for ID: ${id}` }),
});

/** A text, bytes and a family of records. */
export const resources = [text, binary, record];
