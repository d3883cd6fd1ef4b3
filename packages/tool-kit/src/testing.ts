export { eventBusContract, type EventBusCase, type EventBusFixture } from './testing/event-bus-contract.ts';
