export {
  approvalStoreContract,
  type ApprovalStoreCase,
  type ApprovalStoreFixture,
} from './testing/approval-store-contract.ts';
export { eventBusContract, type EventBusCase, type EventBusFixture } from './testing/event-bus-contract.ts';
export {
  idempotencyStoreContract,
  type IdempotencyStoreCase,
  type IdempotencyStoreFixture,
} from './testing/idempotency-store-contract.ts';
export {
  placesContract,
  rateLimiterContract,
  type RateLimiterCase,
  type RateLimiterFixture,
} from './testing/rate-limiter-contract.ts';
