import { createCatalog, createMethodTable, type AuditTrail, type MethodTable } from '@mcp-parts/tool-kit';

import { connectBackend } from './backend.ts';
import { createStockTools } from './stock-tools.ts';

/** Step 4: a table in place of the server. It lists to each caller what they may use, and serves clients of both eras. */
export function createTable(backendUrl: string, key: string, audit: AuditTrail): MethodTable {
  const tools = createStockTools(connectBackend(backendUrl), key);
  return createMethodTable(createCatalog({ tools }), { audit });
}
