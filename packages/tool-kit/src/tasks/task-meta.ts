/** What the pages about tasks of the specification call things (SEP-2663; 2025-11-25, basic/utilities/tasks). */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** `_meta` key of what belongs to a task, in 2025-11-25. */
export const RELATED_TASK_META_KEY = 'io.modelcontextprotocol/related-task';

/** SEP-2663: a client that has not declared the extension. */
export const MISSING_CAPABILITY = -32_021;
