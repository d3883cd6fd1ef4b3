export {
  cutOff,
  drip,
  hang,
  malformed,
  refuse,
  reply,
  reset,
  scriptedBackend,
  type Deed,
  type ScriptedBackend,
  type ScriptedRequest,
  type Step,
} from './scripted-backend.ts';
export { createTestClock, randomOf, type TestClock } from './test-clock.ts';
