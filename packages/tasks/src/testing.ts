export {
  taskStoreContract,
  type ContractCase,
  type TaskStoreHarness,
} from './testing/task-store-contract.ts';
