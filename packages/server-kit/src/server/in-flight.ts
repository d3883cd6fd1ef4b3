import type { MethodHandler, MethodTable } from '@mcp-parts/tool-kit';

/** Counts the calls that are running, so that a shutdown can wait for them. */
export interface InFlight {
  /** The same methods, counted. */
  readonly table: MethodTable;
  readonly count: () => number;
  /** Resolves when nothing runs, or after `timeoutMs`: `true` when nothing was left running. */
  readonly idle: (timeoutMs: number) => Promise<boolean>;
}

/** Wraps a method table so that its running calls are counted. */
export function trackInFlight(table: MethodTable): InFlight {
  let running = 0;
  let waiting: (() => void)[] = [];

  const counted =
    (handler: MethodHandler): MethodHandler =>
    async (params, request) => {
      running += 1;
      try {
        return await handler(params, request);
      } finally {
        running -= 1;
        if (running === 0) {
          for (const resolve of waiting) {
            resolve();
          }
          waiting = [];
        }
      }
    };

  return {
    table: {
      ...table,
      methods: new Map([...table.methods].map(([method, handler]) => [method, counted(handler)])),
    },
    count: () => running,
    async idle(timeoutMs) {
      if (running === 0) {
        return true;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
      return running === 0;
    },
  };
}
