import { quantile, type Scrape } from './metrics.ts';

/** Two minutes, at one scrape in two seconds. */
const MAX_SCRAPES = 60;
/** Rates are of so many scrapes, so that one call is not a peak. */
const RATE_SCRAPES = 15;

interface Moment {
  readonly at: number;
  readonly scrape: Scrape;
}

type Where = Readonly<Record<string, string>>;

/** The scrapes of the last two minutes, and what changed between them. */
export class History {
  #moments: readonly Moment[] = [];

  add(moment: Moment): void {
    const last = this.#moments.at(-1);
    // After a restart counters begin anew: what was before it says nothing of what is.
    const isRestarted =
      last !== undefined &&
      moment.scrape.sum('process_uptime_seconds') < last.scrape.sum('process_uptime_seconds');
    this.#moments = [...(isRestarted ? [] : this.#moments), moment].slice(-MAX_SCRAPES);
  }

  /** How much a counter grew in a minute, of late. */
  perMinute(name: string, where?: Where): number {
    return rate(this.#moments.slice(-RATE_SCRAPES), name, where);
  }

  /** The same at each of the scrapes. */
  rates(name: string, where?: Where): readonly number[] {
    return this.#windows().map((moments) => rate(moments, name, where));
  }

  /** A quantile of late, in the unit of the histogram. */
  quantile(q: number, name: string, where?: Where): number | undefined {
    return quantileOf(this.#moments.slice(-RATE_SCRAPES), q, name, where);
  }

  /** The same at each of the scrapes; 0 where nothing came. */
  quantiles(q: number, name: string, where?: Where): readonly number[] {
    return this.#windows().map((moments) => quantileOf(moments, q, name, where) ?? 0);
  }

  /** A gauge at each of the scrapes. */
  gauge(name: string, where?: Where): readonly number[] {
    return this.#moments.map(({ scrape }) => scrape.sum(name, where));
  }

  #windows(): readonly (readonly Moment[])[] {
    return this.#moments.map((_, index) =>
      this.#moments.slice(Math.max(0, index + 1 - RATE_SCRAPES), index + 1),
    );
  }
}

function rate(moments: readonly Moment[], name: string, where: Where | undefined): number {
  const [first] = moments;
  const last = moments.at(-1);
  if (first === undefined || last === undefined || last.at === first.at) {
    return 0;
  }
  const grown = last.scrape.sum(name, where) - first.scrape.sum(name, where);
  return (grown * 60_000) / (last.at - first.at);
}

function quantileOf(
  moments: readonly Moment[],
  q: number,
  name: string,
  where: Where | undefined,
): number | undefined {
  const [first] = moments;
  const last = moments.at(-1);
  if (first === undefined || last === undefined) {
    return undefined;
  }
  return quantile(q, last.scrape.buckets(name, where), first.scrape.buckets(name, where));
}
