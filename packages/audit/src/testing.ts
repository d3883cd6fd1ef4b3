export { auditSinkContract, type ContractCase, type SinkHarness } from './sink-contract.ts';
