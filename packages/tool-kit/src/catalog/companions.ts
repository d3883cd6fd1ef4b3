import type { ContentToolDefinition, ToolDefinition } from '../definition/define-tool.ts';
import { approvalTool } from './approval-tool.ts';
import { companionTools, type Companion } from './companion-tools.ts';
import { listedTool, type ListedTool } from './listed.ts';

type AnyTool = ToolDefinition | ContentToolDefinition;

/** The tools that are made for others of a catalog: for those that are long-running, or that somebody else approves. */
export interface Companions {
  /** The definitions, each tool followed by those that are made for it. */
  readonly beside: <Definition extends object>(definitions: readonly Definition[]) => readonly Definition[];
  /** A tool, ready to be called, whether it was defined or made here. */
  readonly listed: (tool: AnyTool) => ListedTool;
}

/** Creates those of one catalog. */
export function createCompanions(): Companions {
  const made = new WeakMap<object, Companion>();
  return {
    beside: (definitions) =>
      definitions.flatMap((definition) => {
        const companions = companionsOf(definition);
        companions.forEach((companion) => made.set(companion.definition, companion));
        // They are tools, as the definition is that they are made for.
        return [
          definition,
          ...companions.map((companion) => companion.definition as object as typeof definition),
        ];
      }),
    listed(tool) {
      const listed = listedTool(tool);
      const companion = made.get(tool);
      return companion === undefined ? listed : { ...listed, call: companion.call };
    },
  };
}

function companionsOf(definition: object): readonly Companion[] {
  // Only tools have this member.
  const tool = definition as AnyTool;
  const { longRunning, approval } = tool;
  return [
    ...(longRunning === undefined || longRunning.taskSupport === 'required'
      ? []
      : companionTools(tool, longRunning, longRunning.pollIntervalMs ?? 5_000)),
    ...(approval === undefined ? [] : [approvalTool(tool, approval)]),
  ];
}
