import type { ContenderName } from './contenders.ts';
import type { Slice } from './worker.ts';

/** One contender at one concurrency. Ratios are medians over rounds, each against the reference in the same round. */
export interface Row {
  readonly contender: ContenderName;
  readonly concurrency: number;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerCall: number;
  readonly throughputRatio: number;
  readonly cpuRatio: number;
}

/** Condenses the rounds of a contender beside those of the reference. */
export function toRow(
  contender: ContenderName,
  concurrency: number,
  rounds: readonly Slice[],
  reference: readonly Slice[],
): Row {
  const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b);
  const paired = (value: (slice: Slice) => number) =>
    median(
      rounds.map((slice, round) => {
        const other = reference[round];
        return other === undefined ? Number.NaN : value(slice) / value(other);
      }),
    );
  return {
    contender,
    concurrency,
    calls: latencies.length,
    callsPerSecond: round(median(rounds.map((slice) => slice.callsPerSecond)), 0),
    p50Ms: round(quantile(latencies, 0.5), 2),
    p99Ms: round(quantile(latencies, 0.99), 2),
    cpuMicrosPerCall: round(median(rounds.map((slice) => slice.cpuMicrosPerCall)), 1),
    throughputRatio: round(
      paired((slice) => slice.callsPerSecond),
      2,
    ),
    cpuRatio: round(
      paired((slice) => slice.cpuMicrosPerCall),
      2,
    ),
  };
}

/** The rows as a table for a terminal. */
export function toTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.contender,
    String(row.concurrency),
    String(row.callsPerSecond),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.cpuMicrosPerCall.toFixed(1),
    `${row.throughputRatio.toFixed(2)} x`,
    `${row.cpuRatio.toFixed(2)} x`,
  ]);
  const lines = [['contender', 'conc.', 'calls/s', 'p50 ms', 'p99 ms', 'CPU us', 'calls/s', 'CPU'], ...cells];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths?.[column] ?? 0) : cell.padStart(widths?.[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** What this repository's client promises under load and did not keep in these rows. Ratios only: they travel. */
export function missedTargets(rows: readonly Row[]): readonly string[] {
  return rows
    .filter(({ contender, concurrency }) => contender === 'resilient-client' && concurrency >= 16)
    .flatMap(({ concurrency, throughputRatio, cpuRatio }) => {
      const axios = rows.find(
        (row) => row.contender === 'axios + axios-retry + opossum' && row.concurrency === concurrency,
      );
      return [
        throughputRatio >= 0.92 ? [] : [`${throughputRatio} x the calls of undici, not 0.92`],
        cpuRatio <= 1.1 ? [] : [`${cpuRatio} x the CPU of undici, not 1.10`],
        axios === undefined || throughputRatio >= 3.5 * axios.throughputRatio
          ? []
          : [`${(throughputRatio / axios.throughputRatio).toFixed(1)} x the calls of axios, not 3.5`],
      ].flatMap((missed) => missed.map((text) => `${text} (concurrency ${concurrency})`));
    });
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
