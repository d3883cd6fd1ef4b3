import { randomUUID } from 'node:crypto';

import { createEventBus, isServerEvent, type EventBus, type ServerEvent } from '@mcp-parts/tool-kit';

import type { Connection } from '../connection/connection.ts';
import type { Logger } from '../logger.ts';
import { followStream, MAX_ENTRIES } from './event-stream.ts';

/** A bus that all replicas share; close it before the connection. */
export interface RedisEventBus extends EventBus {
  readonly close: () => Promise<void>;
}

/** What could not be sent yet: as many different events as this, and then only that something was lost. */
const MAX_UNSENT = 1_000;
/** Nobody resumes after an outage of a day. */
const KEEP_SECONDS = 86_400;

/** What is said when nobody knows what was missed: ask for everything again. */
const ANYTHING: readonly ServerEvent[] = [
  { kind: 'tools_list_changed' },
  { kind: 'prompts_list_changed' },
  { kind: 'resources_list_changed' },
  { kind: 'permissions_changed' },
];

/**
 * Brings events to the listeners of this process at once, and to those of the other replicas through a stream in Redis.
 * While Redis is gone, this process hears its own; the others hear them when it is back, each once however often it was
 * published. Where events were lost, listeners are told that everything may have changed.
 */
export function createRedisEventBus(connection: Connection, logger: Logger): RedisEventBus {
  const local = createEventBus();
  const key = `${connection.prefix}events`;
  const self = randomUUID();
  /** What could not be sent yet, with the number of the last time that it was published. */
  const unsent = new Map<string, number>();
  let published = 0;
  let isSending = false;

  /** One at a time and in order; what fails waits for Redis. */
  async function send(): Promise<void> {
    if (isSending) {
      return;
    }
    isSending = true;
    try {
      for (let [next] = unsent; next !== undefined; [next] = unsent) {
        const [text, number] = next;
        await connection.run(async (client) => {
          await client.xadd(key, 'MAXLEN', '~', MAX_ENTRIES, '*', 'from', self, 'event', text);
          await client.expire(key, KEEP_SECONDS);
        });
        // Published again while it was on its way, it is news once more.
        if (unsent.get(text) === number) {
          unsent.delete(text);
        }
      }
    } catch (error) {
      if (connection.isReachable()) {
        logger.warn({ err: error }, 'an event was not sent');
      }
    } finally {
      isSending = false;
    }
  }
  function keep(text: string): void {
    published += 1;
    unsent.set(text, published);
    if (unsent.size > MAX_UNSENT) {
      unsent.clear();
      for (const event of ANYTHING) {
        unsent.set(JSON.stringify(event), published);
      }
    }
  }

  const retry = setInterval(() => {
    if (unsent.size > 0) {
      void send();
    }
  }, RETRY_MS).unref();
  const stopWaiting = connection.onBack(() => void send());
  const stream = followStream(connection, key, {
    onEntry({ from, event: text }) {
      const event = from === self ? undefined : parse(text);
      if (event !== undefined) {
        local.publish(event);
      }
    },
    onGap() {
      logger.warn({}, 'events of other replicas were missed');
      ANYTHING.forEach(local.publish);
    },
  });

  return {
    subscribe: local.subscribe,
    publish(event) {
      local.publish(event);
      keep(JSON.stringify(event));
      void send();
    },
    async close() {
      clearInterval(retry);
      stopWaiting();
      await stream.close();
    },
  };
}

const RETRY_MS = 1_000;

function parse(text: string | undefined): ServerEvent | undefined {
  try {
    const message: unknown = JSON.parse(text ?? '');
    return isServerEvent(message) ? message : undefined;
  } catch {
    // Not ours: whoever shares the prefix wrote something else.
    return undefined;
  }
}
