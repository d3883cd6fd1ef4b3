import type { Channel, ClientReply } from '../exchange/channel.ts';
import type { QuestionMethod } from '../exchange/question.ts';
import type { JsonObject } from '../json.ts';
import type { TaskContext } from '../ports.ts';

/** The way to the client of a call that runs as a task: its request is answered, and what there is to tell is the task's. */
export class TaskChannel implements Channel {
  /** A task is followed by whoever wants to: its progress is always asked for. */
  readonly meta: JsonObject = { progressToken: 'task' };
  /** What can be asked: of a client that knows no tasks, nothing. */
  readonly capabilities: JsonObject;
  /** A client sees all that a task waits for, and answers in any order. */
  readonly asksAtOnce = true;
  readonly #task: TaskContext;
  #asked = 0;

  constructor(task: TaskContext, capabilities: JsonObject) {
    this.#task = task;
    this.capabilities = capabilities;
  }

  notify(method: string, params: JsonObject): void {
    if (method === 'notifications/progress') {
      const { progress, total, message } = params;
      const percent =
        typeof total === 'number' && total > 0 ? (100 * Number(progress)) / total : Number(progress);
      this.#task.progress({ percent, message: typeof message === 'string' ? message : '' });
    }
  }

  // SEP-2663: there are no log messages for tasks.
  log(): void {}

  /** In a later run the same question, in its turn, has the answer that was given. */
  async request(
    method: QuestionMethod,
    params: JsonObject,
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<ClientReply> {
    this.#asked += 1;
    const late = Promise.withResolvers<ClientReply>();
    const timer = setTimeout(() => late.resolve({ outcome: 'cancelled' }), timeoutMs);
    const onAbort = () => late.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const answered = this.#task.ask(`question-${this.#asked}`, { method, params });
      return await Promise.race([
        answered.then((result): ClientReply => ({ outcome: 'result', result })),
        late.promise,
      ]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
