/** What is watched, in the unit that its name says. */
export interface Sample {
  readonly atSeconds: number;
  /** Heap after garbage collections, and what it keeps alive outside of it. */
  readonly heldMiB: number;
  readonly rssMiB: number;
  readonly sockets: number;
  readonly descriptors: number;
}

/** How a quantity went. */
export interface Trend {
  readonly quantity: keyof typeof allowances;
  readonly median: number;
  /** By how much it rose from the first to the last sample that counts, on the line that fits best. */
  readonly rise: number;
  readonly allowed: number;
}

/** What a quantity may rise by: a share of its median for what the collector leaves undecided, or a number. */
const allowances = {
  heldMiB: { share: 0.05, atLeast: 2 },
  rssMiB: { share: 0.1, atLeast: 24 },
  sockets: { share: 0, atLeast: 4 },
  descriptors: { share: 0, atLeast: 6 },
} as const;

/** The trends after the first third, in which the compiler and the caches fill up. */
export function trendsOf(samples: readonly Sample[]): readonly Trend[] {
  const counted = samples.slice(Math.floor(samples.length / 3));
  return (['heldMiB', 'rssMiB', 'sockets', 'descriptors'] as const).map((quantity) => {
    const { share, atLeast } = allowances[quantity];
    const middle = median(counted.map((sample) => sample[quantity]));
    const span = (counted.at(-1)?.atSeconds ?? 0) - (counted[0]?.atSeconds ?? 0);
    return {
      quantity,
      median: round(middle),
      rise: round(slope(counted.map((sample) => [sample.atSeconds, sample[quantity]] as const)) * span),
      allowed: round(Math.max(atLeast, share * middle)),
    };
  });
}

/** The median of the slopes of all pairs (Theil–Sen): a few samples at a bad moment do not tilt it. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], index) =>
    points.slice(index + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
