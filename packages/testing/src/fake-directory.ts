/** Who a directory is asked about: a caller or a principal of `@mcp-parts/auth`, by its id `<issuer>#<subject>`. */
export interface DirectoryQuestion {
  readonly id: string;
}

/** A directory in memory; fits the port `Directory` of `@mcp-parts/auth`. */
export interface FakeDirectory {
  /** The groups of somebody, none for a stranger. Rejects while the directory is down, or when the signal has aborted. */
  readonly groupsOf: (
    who: DirectoryQuestion,
    options: { readonly signal: AbortSignal },
  ) => Promise<readonly string[]>;
  /** Puts somebody into these groups and no others. */
  readonly setGroups: (id: string, groups: readonly string[]) => void;
  /** From now on every question fails with this error, until `restore`. */
  readonly takeDown: (error?: Error) => void;
  readonly restore: () => void;
}

/** Creates a directory of these people: their groups by `<issuer>#<subject>`. */
export function fakeDirectory(people: Readonly<Record<string, readonly string[]>> = {}): FakeDirectory {
  const groups = new Map(Object.entries(people));
  let outage: Error | undefined;
  return {
    async groupsOf({ id }, { signal }) {
      signal.throwIfAborted();
      if (outage !== undefined) {
        throw outage;
      }
      return [...new Set(groups.get(id))];
    },
    setGroups(id, next) {
      groups.set(id, next);
    },
    takeDown(error = new Error('The directory is down')) {
      outage = error;
    },
    restore() {
      outage = undefined;
    },
  };
}
