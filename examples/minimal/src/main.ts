import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { localCaller } from '@mcp-parts/auth';
import { createLogger } from '@mcp-parts/observability';
import { assembleServer, serveStdio } from '@mcp-parts/server-kit';

import { rollDice } from './roll-dice.ts';

await using server = await assembleServer({
  serverInfo: { name: 'dice', version: '1.0.0' },
  definitions: { tools: [rollDice] },
  logger: createLogger({ name: 'dice' }),
  stateDirectory: join(tmpdir(), 'dice'),
});
await serveStdio(server, { caller: localCaller({ name: 'me', permissions: ['dice:roll'] }) });
