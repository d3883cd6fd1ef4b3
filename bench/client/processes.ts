import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of the benchmark that answers each message with one. */
export interface Child extends Disposable {
  /** What the process said when it was ready. */
  readonly greeting: unknown;
  readonly ask: (question: object) => Promise<unknown>;
}

/** Starts a module of this folder in a process of its own and waits for its first message. */
export async function startChild(module: string, ...args: string[]): Promise<Child> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), args);
  const greeting = await nextMessage(child);
  return {
    greeting,
    ask(question) {
      const answer = nextMessage(child);
      child.send(question);
      return answer;
    },
    [Symbol.dispose]() {
      child.disconnect();
    },
  };
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const gone = new AbortController();
  const onExit = () => gone.abort();
  child.once('exit', onExit);
  try {
    const [message] = await once(child, 'message', { signal: gone.signal });
    return message;
  } finally {
    child.removeListener('exit', onExit);
  }
}
