/** One series of a scrape and its value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/u;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/gu;

/** Reads the Prometheus text of this server. */
export function parseMetrics(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = line.startsWith('#') ? [] : (LINE.exec(line) ?? []);
    if (name === undefined) {
      return [];
    }
    const pairs = [...labels.matchAll(LABEL)].map(
      ([, key = '', text = '']) => [key, unescaped(text)] as const,
    );
    return [{ name, labels: Object.fromEntries(pairs), value: numberOf(value) }];
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gu, (_, character: string) => (character === 'n' ? '\n' : character));
}

function numberOf(text = ''): number {
  return text === '+Inf' ? Infinity : Number(text);
}

/** The samples of a scrape, by name. */
export class Scrape {
  readonly #byName: ReadonlyMap<string, readonly Sample[]>;

  constructor(samples: readonly Sample[]) {
    this.#byName = Map.groupBy(samples, ({ name }) => name);
  }

  of(name: string, where: Readonly<Record<string, string>> = {}): readonly Sample[] {
    const wanted = Object.entries(where);
    return (this.#byName.get(name) ?? []).filter(({ labels }) =>
      wanted.every(([label, value]) => labels[label] === value),
    );
  }

  sum(name: string, where?: Readonly<Record<string, string>>): number {
    return this.of(name, where).reduce((total, { value }) => total + value, 0);
  }

  /** The sum; `undefined` where there is no such series. */
  value(name: string, where?: Readonly<Record<string, string>>): number | undefined {
    return this.of(name, where).length === 0 ? undefined : this.sum(name, where);
  }

  /** The values of a label, sorted. */
  values(name: string, label: string): readonly string[] {
    return [...new Set(this.of(name).flatMap(({ labels }) => labels[label] ?? []))].toSorted();
  }

  /** How many observations of a histogram were at most so large: one number for each bound. */
  buckets(name: string, where?: Readonly<Record<string, string>>): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const { labels, value } of this.of(`${name}_bucket`, where)) {
      const bound = numberOf(labels['le']);
      counts.set(bound, (counts.get(bound) ?? 0) + value);
    }
    return counts;
  }
}

/** A quantile of what came between two scrapes, by the buckets of each; `undefined` when nothing came. */
export function quantile(
  q: number,
  now: ReadonlyMap<number, number>,
  before: ReadonlyMap<number, number>,
): number | undefined {
  const bounds = [...now.keys()].toSorted((a, b) => a - b);
  const counts = bounds.map((bound) => (now.get(bound) ?? 0) - (before.get(bound) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) {
    return undefined;
  }
  const rank = q * total;
  const index = counts.findIndex((count) => count >= rank);
  const lower = bounds[index - 1] ?? 0;
  const upper = bounds[index] ?? Infinity;
  if (upper === Infinity) {
    return lower;
  }
  const below = counts[index - 1] ?? 0;
  const inside = (counts[index] ?? 0) - below;
  return inside === 0 ? upper : lower + (upper - lower) * ((rank - below) / inside);
}
