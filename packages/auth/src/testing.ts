export {
  directoryContract,
  unavailableDirectoryCase,
  type DirectoryCase,
  type DirectoryFixture,
} from './testing/directory-contract.ts';
export {
  policyEngineContract,
  unavailableEngineCase,
  type ContractCase,
  type PolicyEngineFixture,
} from './testing/policy-engine-contract.ts';
export {
  replayStoreContract,
  unavailableReplayStoreCase,
  type ReplayStoreCase,
  type ReplayStoreFixture,
} from './testing/replay-store-contract.ts';
