export {
  policyEngineContract,
  unavailableEngineCase,
  type ContractCase,
  type PolicyEngineFixture,
} from './testing/policy-engine-contract.ts';
