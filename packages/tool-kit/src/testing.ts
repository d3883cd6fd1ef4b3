export { eventBusContract, type EventBusCase, type EventBusFixture } from './testing/event-bus-contract.ts';
export {
  placesContract,
  rateLimiterContract,
  type RateLimiterCase,
  type RateLimiterFixture,
} from './testing/rate-limiter-contract.ts';
