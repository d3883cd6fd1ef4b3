/** A server whose call is running: it says so on standard error and then waits to be killed. */
import { assembleServer } from '../src/index.ts';
import { silentLogger } from './audited-server.ts';
import { echoTool } from './test-server.ts';

const [stateDirectory = ''] = process.argv.slice(2);
const tool = echoTool(() => {
  process.stderr.write('running\n');
  return new Promise(() => undefined);
});
const server = await assembleServer({
  serverInfo: { name: 'killed', version: '1.0.0' },
  definitions: { tools: [{ ...tool, deadlineMs: 600_000 }] },
  authorizer: { decide: () => ({ allowed: true, rule: 'test' }) },
  logger: silentLogger,
  stateDirectory,
});
// Keeps the process alive: nothing else here does.
setInterval(() => undefined, 60_000);
await server.table.methods.get('tools/call')?.(
  { name: 'echo', arguments: { text: 'hello' } },
  {
    caller: { id: 'local#test', kind: 'user', groups: [], permissions: ['echo'] },
    signal: new AbortController().signal,
    era: '2026',
    transport: 'stdio',
    correlationId: 'killed-call',
  },
);
