import type { Reply } from './pending.ts';

/** The HTTP transports of the SDKs take as many. */
export const MAX_BATCH = 100;

/** Answers that go out together, in one array. */
export interface Batch {
  /** Announces an answer. */
  readonly expect: () => Reply;
  /** No further answer will be announced. */
  readonly seal: () => void;
}

/** JSON-RPC 2.0 §6: the answers of a batch are one array; a batch of notifications has none. */
export function createBatch(reply: Reply): Batch {
  const answers: object[] = [];
  // One more until it is sealed.
  let expected = 1;
  const end = () => {
    expected -= 1;
    if (expected === 0 && answers.length > 0) {
      reply(answers);
    }
  };
  return {
    expect() {
      expected += 1;
      return (answer) => {
        if (answer !== undefined) {
          answers.push(answer);
        }
        end();
      };
    },
    seal: end,
  };
}
