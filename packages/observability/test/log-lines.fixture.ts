import { createLogger } from '../src/index.ts';

const logger = createLogger({ name: 'child', level: 'debug' });
logger.debug({ step: 1 }, 'first');
logger.error(new Error('Bearer planted-secret-value'));
// Straight out, without waiting: what was logged must be out already.
process.exit(3);
