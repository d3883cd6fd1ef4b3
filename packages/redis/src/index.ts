export type { RedisApprovals } from './approvals/approval-store.ts';
export { openRedis, type SharedRedis } from './open-redis.ts';
export type { RedisOptions } from './connection/redis-options.ts';
export { RedisError, type RedisErrorCode } from './errors.ts';
export type { RedisEventBus } from './events/event-bus.ts';
export type { RedisRateLimiter } from './limits/rate-limiter.ts';
export type { Logger } from './logger.ts';
export type { ReplayStore } from './proofs/replay-store.ts';
