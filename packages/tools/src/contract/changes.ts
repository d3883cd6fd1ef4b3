import type { Change } from './change.ts';
import type { Contract, ToolContract } from './contract.ts';
import { inputChanges, outputChanges } from './schema-changes.ts';

/** What changed from one contract to another. */
export function changesOf(before: Contract, after: Contract): readonly Change[] {
  return [...toolChanges(before, after), ...resourceChanges(before, after), ...promptChanges(before, after)];
}

function toolChanges(before: Contract, after: Contract): readonly Change[] {
  const renamed = new Map(
    Object.entries(after.tools).flatMap(([name, { formerNames = [] }]) =>
      formerNames.map((former) => [former, name] as const),
    ),
  );
  const kept = Object.entries(before.tools).flatMap(([name, tool]): readonly Change[] => {
    const successor = Object.hasOwn(after.tools, name) ? name : renamed.get(name);
    const now = successor === undefined ? undefined : after.tools[successor];
    if (successor === undefined || now === undefined) {
      return [
        {
          level: 'breaking',
          where: `tool ${name}`,
          what: 'was removed; keep its name among the formerNames of its successor',
        },
      ];
    }
    const rename: readonly Change[] =
      successor === name
        ? []
        : [
            {
              level: 'compatible',
              where: `tool ${name}`,
              what: `is now ${successor}, and answers under the old name`,
            },
          ];
    return [...rename, ...withinTool(`tool ${successor}`, tool, now)];
  });
  const added = Object.entries(after.tools)
    .filter(
      ([name, { formerNames = [] }]) =>
        ![name, ...formerNames].some((one) => Object.hasOwn(before.tools, one)),
    )
    .map(([name]): Change => ({ level: 'compatible', where: `tool ${name}`, what: 'was added' }));
  const lost = Object.entries(before.tools).flatMap(([name, { formerNames = [] }]) =>
    formerNames
      .filter((former) => !renamed.has(former) && !Object.hasOwn(after.tools, former))
      .map((former): Change => ({
        level: 'breaking',
        where: `tool ${name}`,
        what: `no longer answers as ${former}`,
      })),
  );
  return [...kept, ...added, ...lost];
}

function withinTool(where: string, before: ToolContract, after: ToolContract): readonly Change[] {
  const changes: Change[] = [];
  const add = (level: Change['level'], what: string) => changes.push({ level, where, what });
  if (before.readOnly && !after.readOnly) {
    add('breaking', 'only read, and now changes something');
  }
  if (!before.readOnly && after.readOnly) {
    add('compatible', 'only reads now');
  }
  if (!before.destructive && after.destructive && before.readOnly === after.readOnly) {
    add('breaking', 'destroyed nothing, and now may');
  }
  if (before.description !== after.description) {
    add('wording', 'is described in other words');
  }
  return [
    ...changes,
    ...inputChanges(`${where}: input`, before.input, after.input),
    ...(before.output === undefined
      ? []
      : after.output === undefined
        ? [{ level: 'breaking' as const, where, what: 'has no structured output any more' }]
        : outputChanges(`${where}: output`, before.output, after.output)),
  ];
}

function resourceChanges(before: Contract, after: Contract): readonly Change[] {
  const gone = Object.entries(before.resources).flatMap(([name, { uriTemplate }]): readonly Change[] => {
    const now = after.resources[name]?.uriTemplate;
    if (now === uriTemplate) {
      return [];
    }
    const what = now === undefined ? 'was removed' : `had the template ${uriTemplate}, now ${now}`;
    return [{ level: 'breaking', where: `resource ${name}`, what }];
  });
  return [...gone, ...addedOf('resource', before.resources, after.resources)];
}

function promptChanges(before: Contract, after: Contract): readonly Change[] {
  const changed = Object.entries(before.prompts).flatMap(([name, taken]): readonly Change[] => {
    const now = after.prompts[name];
    const where = `prompt ${name}`;
    if (now === undefined) {
      return [{ level: 'breaking', where, what: 'was removed' }];
    }
    const all = [...new Set([...Object.keys(taken), ...Object.keys(now)])];
    return all.flatMap((argument): readonly Change[] => {
      const [was, is] = [taken[argument], now[argument]];
      if (was === is) {
        return [];
      }
      return is === 'required'
        ? [{ level: 'breaking', where, what: `needs the argument ${argument}` }]
        : [
            {
              level: 'compatible',
              where,
              what: is === undefined ? `takes no ${argument}` : `may be given ${argument}`,
            },
          ];
    });
  });
  return [...changed, ...addedOf('prompt', before.prompts, after.prompts)];
}

function addedOf(kind: string, before: object, after: object): readonly Change[] {
  return Object.keys(after)
    .filter((name) => !Object.hasOwn(before, name))
    .map((name) => ({ level: 'compatible', where: `${kind} ${name}`, what: 'was added' }));
}
