/** Which of the definitions a server offers: those of some toolsets, or those that change nothing. */
export interface CatalogSelection {
  /** Only tools whose annotations say `readOnly`. Resources and prompts change nothing. @default false */
  readonly readOnly?: boolean | undefined;
  /** Only what is in one of these toolsets, and what is in none. @default all of it */
  readonly toolsets?: readonly string[] | undefined;
}

/** As much of a definition as decides whether it is offered. */
export interface Selectable {
  readonly toolset?: string | undefined;
  readonly annotations?: object | undefined;
  readonly handle?: unknown;
}

/** @throws {TypeError} for a toolset that no definition is in. */
export function resolveSelection(
  { readOnly = false, toolsets }: CatalogSelection,
  definitions: readonly Selectable[],
): CatalogSelection {
  const known = new Set(definitions.flatMap(({ toolset }) => (toolset === undefined ? [] : [toolset])));
  const unknown = toolsets?.find((name) => !known.has(name));
  if (unknown !== undefined) {
    const names = [...known].toSorted().join(', ');
    throw new TypeError(
      `toolsets must be of ${names === '' ? 'none: there are none' : names}, got ${unknown}`,
    );
  }
  return { readOnly, toolsets };
}

/** Whether a definition is offered. */
export function isSelected(definition: Selectable, { readOnly, toolsets }: CatalogSelection): boolean {
  const { toolset, annotations, handle } = definition;
  const isTool = handle !== undefined;
  const isReadOnly =
    !isTool || (annotations !== undefined && 'readOnly' in annotations && annotations.readOnly === true);
  return (
    (readOnly !== true || isReadOnly) &&
    (toolsets === undefined || toolset === undefined || toolsets.includes(toolset))
  );
}
