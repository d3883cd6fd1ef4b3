import { join } from 'node:path';

/** One file of the log and how much of it is durable. */
export interface Segment {
  readonly number: number;
  readonly sizeBytes: number;
}

/** The path of a segment: ten digits, so that names sort as numbers do. */
export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(10, '0')}.jsonl`);
}

/** The numbers of the segments among the names of a directory, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .filter((name) => /^\d{10}\.jsonl$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b);
}
