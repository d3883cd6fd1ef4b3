import { openTaskEngine } from '../src/index.ts';

// Starts one task whose handler goes on until the parent says "finish", whatever its signal says.
const [, , store = '', onInterrupted] = process.argv;
const finish = Promise.withResolvers<void>();
process.on('message', () => finish.resolve());

const engine = await openTaskEngine({
  store,
  leaseMs: 400,
  definitions: [
    {
      kind: 'held',
      onInterrupted: onInterrupted === 'resume' ? 'resume' : 'fail',
      async run(_input, { step, signal }) {
        await step('make', async () => 'made by the first');
        signal.addEventListener('abort', () => process.send?.({ aborted: signal.reason.code }));
        process.send?.({ running: true });
        await finish.promise;
        setImmediate(() => process.send?.({ finished: true }));
        return { by: 'the first' };
      },
    },
  ],
});
await engine.start({ kind: 'held', input: {}, ownerId: 'alice' });
// The engine itself keeps no process alive.
setInterval(() => undefined, 60_000);
