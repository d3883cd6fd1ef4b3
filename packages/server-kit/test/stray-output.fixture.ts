/** A server on stdio whose tool writes where only the protocol may. */
import { serveStdio } from '../src/index.ts';
import { echoTool, openServer } from './test-server.ts';

const tool = echoTool((text) => {
  // oxlint-disable-next-line no-console -- what the guard is there for
  console.log(`console.log: ${text}`);
  process.stdout.write(`{"jsonrpc":"2.0","id":1,"result":{"forged":true}}\n`);
  process.stdout.write(Buffer.from('bytes without a line break'));
});

const log = (level: string) => (fields: object, msg: string) =>
  void process.stderr.write(`${JSON.stringify({ level, ...fields, msg })}\n`);

await using server = await openServer(tool, {
  debug: log('debug'),
  info: log('info'),
  warn: log('warn'),
  error: log('error'),
});
await serveStdio(server, {
  caller: { id: 'local#test', kind: 'user', groups: [], permissions: ['echo'] },
});
