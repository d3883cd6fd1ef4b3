import { writeSync } from 'node:fs';

import { createLogger } from '../src/index.ts';

const logger = createLogger({ name: 'unread' });
// Far more than a pipe and the buffer hold.
for (let line = 0; line < 20_000; line += 1) {
  logger.warn({ line, pad: 'x'.repeat(200) }, 'line');
}
writeSync(1, 'logged\n');
process.stdin.once('data', () => {
  const timer = setInterval(() => logger.info({}, 'after'), 20);
  process.stdin.once('data', () => {
    clearInterval(timer);
    process.exit(0);
  });
  writeSync(1, 'alive\n');
});
