export { changesOf } from './contract/changes.ts';
export { problemsOf, type LintProblem } from './commands/lint.ts';
export type { Change } from './contract/change.ts';
export { contractOf, type Contract, type ToolContract } from './contract/contract.ts';
export type { ListedPrompt, ListedTool, Offered } from './server/offered.ts';
