import type { CallContext } from '@mcp-parts/tool-kit';

import type { Deployment } from '../platform/endpoints.ts';

/** How far one region is. */
export interface RegionState {
  readonly region: string;
  readonly state: string;
  /** 0–100 */
  readonly percent: number;
}

/** How far each region is, in their order; whoever follows the task is told whenever that changes. */
export interface Regions {
  readonly all: () => readonly RegionState[];
  /** Where something has been changed. */
  readonly changed: () => readonly string[];
  /** Takes note of what the deployment API says of a region. */
  readonly see: (region: string, deployment: Deployment) => void;
  /** Says something that is no progress, after where the regions are. */
  readonly say: (note: string) => void;
  /** The least percentage that is further than all that was said. */
  readonly next: () => number;
}

/** Creates it; every region is still to come. */
export function createRegions(
  names: readonly string[],
  { progress }: Pick<CallContext, 'progress'>,
): Regions {
  const states = new Map<string, RegionState>(
    names.map((region) => [region, { region, state: 'pending', percent: 0 }]),
  );
  const all = () => [...states.values()];
  let furthest = 0;
  let said = '';

  function say(note: string): void {
    const message = `${regionsText(all())}${note}.`;
    if (message === said) {
      return;
    }
    said = message;
    const percent = Math.floor(all().reduce((sum, one) => sum + one.percent, 0) / states.size);
    // What is no further is not passed on, and some of it is news all the same.
    furthest = Math.max(percent, furthest + 0.01);
    progress(furthest, 100, message);
  }

  return {
    all,
    changed: () =>
      all()
        .filter(({ percent }) => percent > 0)
        .map(({ region }) => region),
    see(region, deployment) {
      states.set(region, stateIn(region, deployment));
      say('');
    },
    say,
    next: () => furthest + 0.01,
  };
}

/** What the deployment API says of one region. */
function stateIn(region: string, { state, progress }: Deployment): RegionState {
  const { percent, ...known } = progress.regions.find((one) => one.region === region) ?? {
    state,
    percent: progress.percent,
  };
  return { region, state: known.state, percent };
}

/** `eu-central succeeded, us-east 50 %, ap-south pending` */
export function regionsText(regions: readonly RegionState[]): string {
  return regions
    .map(({ region, state, percent }) => `${region} ${state === 'running' ? `${percent} %` : state}`)
    .join(', ');
}
