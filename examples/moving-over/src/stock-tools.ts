import { callFor, type Client } from '@mcp-parts/resilient-client';
import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { endpoints } from './backend.ts';

const input = z.strictObject({ item: z.string().max(40) });
const annotations = { readOnly: true, destructive: false, idempotent: true, openWorld: false } as const;

/** The two tools as plain objects: strict inputs, an output that is checked, a permission, and no `catch`. */
export function createStockTools(backend: Client, key: string) {
  const getStock = defineTool({
    name: 'get_stock',
    description: 'Tells how many pieces of an item there are.',
    input,
    output: z.object({ pieces: z.number() }),
    annotations,
    permission: 'stock:read',
    handle: ({ item }, context) =>
      callFor(context, backend, endpoints.get, { params: { item }, query: { key } }),
  });
  const deleteItem = defineTool({
    name: 'delete_item',
    description: 'Deletes an item for good.',
    input,
    annotations: { ...annotations, readOnly: false, destructive: true },
    permission: 'stock:delete',
    audit: ({ item }) => ({ resource: item }),
    async handle({ item }, context) {
      await callFor(context, backend, endpoints.delete, { params: { item }, query: { key } });
      return `Item ${item} is deleted.`;
    },
  });
  return [getStock, deleteItem] as const;
}
