/** A server on stdio that its client changes. */
import { localCaller } from '@mcp-parts/auth';
import { createEventBus } from '@mcp-parts/tool-kit';

import { assembleServer, serveStdio } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { changingDefinitions } from './changing-parts.ts';

const [stateDirectory = ''] = process.argv.slice(2);
const events = createEventBus();
await using server = await assembleServer({
  serverInfo: { name: 'changing', version: '1.0.0' },
  definitions: changingDefinitions((change) => server.catalog.change(change), events),
  logger: silentLogger,
  stateDirectory,
  ports: { events },
});
await serveStdio(server, { caller: localCaller({ name: 'ann', permissions: ['read'] }) });
