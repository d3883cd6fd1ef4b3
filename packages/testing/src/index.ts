export { connect2025 } from './connect-2025.ts';
export { connect2026 } from './connect-2026.ts';
export { connect, type ConnectOptions } from './connect.ts';
export { fakeDirectory, type DirectoryQuestion, type FakeDirectory } from './fake-directory.ts';
export { startIssuer, type TestIssuer, type TokenOptions } from './issuer.ts';
export { recordingAudit, type RecordedCall, type RecordingAudit } from './recording-audit.ts';
export { serverContract, type ContractCall, type ServerCase, type ServerFixture } from './server-contract.ts';
export { testCaller } from './test-caller.ts';
export { testClock, type TestClock } from './test-clock.ts';
export type {
  ClientOptions,
  Connection,
  ProgressReport,
  RequestOptions,
  TestClient,
  TestLogMessage,
  TestQuestion,
} from './test-client.ts';
export {
  startUpstream,
  type TestUpstream,
  type UpstreamRequest,
  type UpstreamScript,
  type UpstreamStep,
} from './upstream.ts';
