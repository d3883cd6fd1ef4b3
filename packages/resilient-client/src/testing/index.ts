export {
  cutOff,
  drip,
  hang,
  malformed,
  refuse,
  reply,
  reset,
  createScriptedUpstream,
  type UpstreamAction,
  type ScriptedUpstream,
  type ScriptedRequest,
  type Step,
} from './scripted-upstream.ts';
export { createTestClock, createTestRandom, type TestClock } from './test-clock.ts';
