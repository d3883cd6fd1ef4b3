export { auditSinkContract, type ContractCase, type SinkHarness } from './sinks/sink-contract.ts';
