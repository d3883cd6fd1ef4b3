import { openTaskEngine } from '../src/index.ts';
import { definitions } from './kinds.fixture.ts';

// Creates tasks as fast as it can and tells the parent about each one that was acknowledged, until it is killed.
const engine = await openTaskEngine({
  store: process.argv[2] ?? '',
  definitions,
  concurrency: 4,
  maxQueuedPerOwner: 1_000,
  leaseMs: 400,
});
for (let number = 0; ; number++) {
  const kind = number % 2 === 0 ? 'fail' : 'resume';
  const { id } = await engine.start({ kind, input: { number }, ownerId: 'alice' });
  process.send?.({ id, kind, number });
  await new Promise((resolve) => setImmediate(resolve));
}
