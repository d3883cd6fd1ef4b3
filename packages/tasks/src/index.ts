export { TaskError } from './errors.ts';
export type { TaskErrorCode } from './errors.ts';
export type { TaskLogger } from './logger.ts';
export { openTaskEngine } from './task-engine.ts';
export type { TaskEngine, TaskEngineOptions, TaskRequest } from './task-engine.ts';
export type {
  JsonObject,
  JsonValue,
  Task,
  TaskContext,
  TaskDefinition,
  TaskFailure,
  TaskProgress,
  TaskState,
} from './task.ts';
