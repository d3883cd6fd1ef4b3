import type { Profiler } from 'node:inspector';

const REPOSITORY = new URL('../../', import.meta.url).href;
/** The process that serves also runs the profiler. */
const PROFILER = 'bench/http/serve.ts';

export type CpuProfile = Profiler.Profile;

/** Where the time of the main thread went, in shares of what was not idle. */
export interface ProfileSummary {
  /** By package, or by file for packages of this repository. Node's own work counts for whoever asked for it. */
  readonly charged: readonly Share[];
  /** The same files and packages, without what they asked of Node, and Node's files for themselves. */
  readonly self: readonly Share[];
  readonly functions: readonly Share[];
}

interface Share {
  readonly name: string;
  readonly percent: number;
  readonly microsPerCall: number;
}

type Node = Profiler.ProfileNode;

/** Sums a profile of this many calls up. */
export function summarize(profile: CpuProfile, calls: number): ProfileSummary {
  const parents = new Map<number, Node>();
  const micros = new Map<number, number>();
  for (const node of profile.nodes) {
    for (const child of node.children ?? []) {
      parents.set(child, node);
    }
  }
  for (const [index, id] of (profile.samples ?? []).entries()) {
    micros.set(id, (micros.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }

  const owner = (node: Node): string => {
    for (let at: Node | undefined = node; at !== undefined; at = parents.get(at.id)) {
      const place = placeOf(at);
      if (!place.startsWith('node:') && place !== '') {
        return place;
      }
    }
    return '(node)';
  };
  const busy = profile.nodes.filter(
    (node) => node.callFrame.functionName !== '(idle)' && owner(node) !== PROFILER,
  );
  const total = busy.reduce((sum, { id }) => sum + (micros.get(id) ?? 0), 0);
  const sumBy = (nameOf: (node: Node) => string): readonly Share[] => {
    const sums = new Map<string, number>();
    for (const node of busy) {
      const name = nameOf(node);
      sums.set(name, (sums.get(name) ?? 0) + (micros.get(node.id) ?? 0));
    }
    return [...sums]
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, sum]) => ({
        name,
        percent: Number(((100 * sum) / total).toFixed(1)),
        microsPerCall: Number((sum / calls).toFixed(1)),
      }));
  };
  return {
    charged: sumBy(owner),
    self: sumBy((node) => placeOf(node) || '(native)'),
    functions: sumBy(
      (node) => `${node.callFrame.functionName || '(anonymous)'} ${placeOf(node) || '(native)'}`,
    ),
  };
}

/** The summary as text for a terminal. */
export function toText({ charged, self, functions }: ProfileSummary, rows: number): string {
  const part = (title: string, shares: readonly Share[]) =>
    [
      title,
      ...shares
        .slice(0, rows)
        .map(
          ({ name, percent, microsPerCall }) =>
            `${percent.toFixed(1).padStart(6)} %  ${microsPerCall.toFixed(1).padStart(7)} us  ${name}`,
        ),
    ].join('\n');
  return [
    part('by package or file, with what it asked of Node', charged),
    part('by package or file, alone', self),
    part('by function', functions),
  ].join('\n\n');
}

/** A file of ours, a package from npm, a module of Node, `(garbage collector)`, or nothing for native code. */
function placeOf({ callFrame: { functionName, url } }: Node): string {
  if (functionName === '(garbage collector)' || functionName === '(program)') {
    return functionName;
  }
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(url)?.[1];
  if (installed !== undefined) {
    return installed;
  }
  return url.startsWith(REPOSITORY) ? url.slice(REPOSITORY.length) : url;
}
