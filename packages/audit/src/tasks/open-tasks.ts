import type { SetTimer } from '../clock.ts';
import type { AuditOutcome } from '../event/event.ts';
import type { Logger } from '../logger.ts';

/** What became of a task: `open` while it has not ended, its outcome then, `undefined` where nobody knows it. */
export type TaskEnd = 'open' | Omit<AuditOutcome, 'durationMs'> | undefined;

/** An intent that names a task and has no outcome yet. */
export interface OpenTask<Entry> {
  readonly entry: Entry;
  readonly finish: (outcome: Omit<AuditOutcome, 'durationMs'>) => Promise<void>;
}

/** What the open tasks of a trail are looked after with. */
export interface OpenTasksOptions {
  readonly outcomeOfTask: (taskId: string) => TaskEnd | Promise<TaskEnd>;
  readonly setTimer: SetTimer;
  readonly logger: Logger;
}

const INTERVAL_MS = 10_000;

/**
 * The tasks that intents of one trail name, until each has its outcome: from whoever ends it here, or, where another
 * process has ended it, from what became of it.
 */
export class OpenTasks<Entry> {
  readonly #options: OpenTasksOptions;
  readonly #open = new Map<string, OpenTask<Entry>>();
  #cancelTimer: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: OpenTasksOptions) {
    this.#options = options;
  }

  /** Looks after the intent of a task that this process begins, or finds begun. */
  add(taskId: string, task: OpenTask<Entry>): void {
    this.#open.set(taskId, task);
    this.#schedule();
  }

  /** The intent of a task, as long as it has no outcome. */
  find(taskId: string): Entry | undefined {
    return this.#open.get(taskId)?.entry;
  }

  /** Its outcome is recorded. */
  remove(taskId: string, entry: Entry): void {
    if (this.find(taskId) === entry) {
      this.#open.delete(taskId);
    }
  }

  /** Ends the round under way and begins no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    await this.#round;
  }

  #schedule(): void {
    if (this.#cancelTimer !== undefined || this.#isStopped) {
      return;
    }
    const look = () => {
      this.#round = this.#look().finally(() => {
        this.#cancelTimer = undefined;
        if (this.#open.size > 0) {
          this.#schedule();
        }
      });
    };
    this.#cancelTimer = this.#options.setTimer(look, INTERVAL_MS, { keepsProcessAlive: false });
  }

  async #look(): Promise<void> {
    for (const [taskId, { finish }] of this.#open) {
      const end = await endOf(taskId, this.#options);
      // One that nobody knows is just being started, or will say itself that it was not.
      if (typeof end === 'object' && !this.#isStopped) {
        await finish({ ...end, isElsewhere: true }).catch((error: unknown) =>
          this.#options.logger.error({ err: error, taskId }, 'outcome of a task not recorded yet'),
        );
      }
    }
  }
}

/** What became of a task; who cannot tell now is asked again. */
export async function endOf(
  taskId: string,
  { outcomeOfTask, logger }: Pick<OpenTasksOptions, 'outcomeOfTask' | 'logger'>,
): Promise<TaskEnd> {
  try {
    return await outcomeOfTask(taskId);
  } catch (error) {
    logger.warn({ err: error, taskId }, 'what became of a task is not known now');
    return 'open';
  }
}
