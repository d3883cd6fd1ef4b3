import type { Authenticator, FilePolicy } from '@mcp-parts/auth';

import type { CallerRights } from '../../server/server-ports.ts';

/** How often the policy's file is looked at while clients listen, in milliseconds. */
const LOOK_MS = 2_000;

/** The rights of callers as policy and directory have them, and a look at the policy's file now and then. */
export function createCallerRights(
  authenticator: Pick<Authenticator, 'renew'>,
  policy: Pick<FilePolicy, 'current' | 'permissionsFor' | 'obtainableFor'>,
): CallerRights & {
  /** Call it when a policy is taken that is not the first. */
  readonly changed: () => void;
} {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    // A file that cannot be used changes nobody's rights yet, and is logged where it is read.
    policy.current({ signal: AbortSignal.timeout(LOOK_MS) }).catch(() => undefined);
  }

  return {
    async renew(caller, { signal }) {
      const { obtainablePermissions } = caller;
      // It refuses one that it has not made.
      const renewed = await authenticator.renew(caller, { signal });
      if (renewed.expiresAt === undefined) {
        return caller;
      }
      const permissions = await policy.permissionsFor(renewed, { signal });
      return {
        ...renewed,
        permissions,
        ...(obtainablePermissions !== undefined && { obtainablePermissions: policy.obtainableFor(renewed) }),
      };
    },
    onChange(listener) {
      const entry = () => listener();
      listeners.add(entry);
      timer ??= setInterval(look, LOOK_MS).unref();
      return () => {
        listeners.delete(entry);
        if (listeners.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
    changed() {
      for (const listener of listeners) {
        listener();
      }
    },
  };
}
