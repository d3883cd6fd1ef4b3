/** What is to happen to the definitions of one kind. */
interface AreaChange<Definition> {
  readonly add: readonly Definition[];
  readonly remove: readonly string[] | undefined;
  readonly disable: readonly string[] | undefined;
  readonly enable: readonly string[] | undefined;
}

/** The definitions of one kind. */
export interface Area<Definition, Entry> {
  /** Those that are enabled, by name, in the order in which they were added. Always the same map. */
  readonly entries: ReadonlyMap<string, Entry>;
  /**
   * Checks a change and compiles what it adds.
   *
   * @throws {TypeError} naming the definition; also what compiling it throws.
   */
  readonly plan: (change: AreaChange<Definition>) => {
    /** Makes the change. @returns what clients see, or no longer see, because of it. */
    readonly commit: () => readonly Entry[];
  };
}

interface Kept<Entry> {
  readonly entry: Entry;
  readonly isEnabled: boolean;
}

// SEP-986: what every client accepts as a tool's name.
const NAME_PATTERN = /^[A-Za-z0-9_.-]{1,64}$/u;

/** Makes an empty area. `checkAll` sees all entries that there would be, disabled ones too. */
export function createArea<Definition extends { readonly name: string }, Entry>(
  kind: string,
  compile: (definition: Definition) => Entry,
  checkAll: (entries: Iterable<Entry>) => void = () => undefined,
): Area<Definition, Entry> {
  const entries = new Map<string, Entry>();
  let kept: ReadonlyMap<string, Kept<Entry>> = new Map();

  return {
    entries,
    plan({ add, remove = [], disable = [], enable = [] }) {
      const next = new Map(kept);
      for (const name of remove) {
        known(next, name);
        next.delete(name);
      }
      for (const definition of add) {
        next.set(checkedName(definition.name, next), { entry: compile(definition), isEnabled: true });
      }
      for (const name of disable) {
        next.set(name, { ...known(next, name), isEnabled: false });
      }
      for (const name of enable) {
        next.set(name, { ...known(next, name), isEnabled: true });
      }
      checkAll([...next.values()].map(({ entry }) => entry));
      return { commit: () => commit(next) };
    },
  };

  function known(among: ReadonlyMap<string, Kept<Entry>>, name: string): Kept<Entry> {
    const found = among.get(name);
    if (found === undefined) {
      throw new TypeError(`there is no ${kind} "${name}"`);
    }
    return found;
  }

  function checkedName(name: string, among: ReadonlyMap<string, unknown>): string {
    if (!NAME_PATTERN.test(name)) {
      throw new TypeError(`${kind} "${name}": a name has 1-64 characters of A-Z a-z 0-9 _ - .`);
    }
    if (among.has(name)) {
      throw new TypeError(`${kind} "${name}" is defined twice`);
    }
    return name;
  }

  function commit(next: ReadonlyMap<string, Kept<Entry>>): readonly Entry[] {
    const before = new Map(entries);
    kept = next;
    entries.clear();
    for (const [name, { entry, isEnabled }] of next) {
      if (isEnabled) {
        entries.set(name, entry);
      }
    }
    const gone = [...before].filter(([name, entry]) => entries.get(name) !== entry);
    const come = [...entries].filter(([name, entry]) => before.get(name) !== entry);
    return [...gone, ...come].map(([, entry]) => entry);
  }
}
