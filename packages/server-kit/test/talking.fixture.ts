/** A server on stdio whose tool talks with its client. */
import { serveStdio } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { talkingTool } from './talking-tool.ts';
import { openServer } from './test-server.ts';

await using server = await openServer(talkingTool, silentLogger);
await serveStdio(server, {
  caller: { id: 'local#test', kind: 'user', groups: [], permissions: ['echo'] },
});
