import {
  BARE,
  EVERY_SIGNATURE,
  EVERYTHING,
  EVERYTHING_SESSION,
  FLOOR,
  NO_TOKEN,
  PRODUCTION,
  SDK_1,
} from './contenders.ts';
import type { CallName, Slice } from './load.ts';
import type { MemoryRow } from './memory.ts';

/** What others are compared with. */
export const references = [PRODUCTION, SDK_1, FLOOR] as const;

/** One contender, one kind of call, so many callers. Ratios: medians over rounds, each within its round. */
export interface Row {
  readonly contender: string;
  readonly call: CallName;
  readonly callers: number;
  readonly calls: number;
  readonly shed: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerCall: number;
  readonly cpuOfProduction: number;
  readonly cpuOfSdk1: number;
  readonly cpuOfFloor: number;
  /** Beside the contender's own `echo` with as many callers. */
  readonly cpuOfEcho: number;
}

/** The slices of all contenders in one kind of call, by name. */
export type Rounds = ReadonlyMap<string, readonly Slice[]>;

/** Condenses the rounds of all contenders. `echoes`: their rounds of `echo` with as many callers. */
export function toRows(call: CallName, callers: number, rounds: Rounds, echoes: Rounds): readonly Row[] {
  return [...rounds].map(([contender, slices]) => {
    const latencies = slices.flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b);
    const ratio = (others: readonly Slice[] = []) =>
      rounded(
        median(
          slices.map(
            ({ cpuMicrosPerCall }, round) =>
              cpuMicrosPerCall / (others[round]?.cpuMicrosPerCall ?? Number.NaN),
          ),
        ),
        3,
      );
    return {
      contender,
      call,
      callers,
      calls: latencies.length,
      shed: slices.reduce((sum, slice) => sum + slice.shed, 0),
      callsPerSecond: rounded(median(slices.map(({ callsPerSecond }) => callsPerSecond)), 0),
      p50Ms: rounded(quantile(latencies, 0.5), 2),
      p99Ms: rounded(quantile(latencies, 0.99), 2),
      cpuMicrosPerCall: rounded(median(slices.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall)), 1),
      cpuOfProduction: ratio(rounds.get(PRODUCTION)),
      cpuOfSdk1: ratio(rounds.get(SDK_1)),
      cpuOfFloor: ratio(rounds.get(FLOOR)),
      cpuOfEcho: ratio(echoes.get(contender)),
    };
  });
}

/** The rows as a table for a terminal. */
export function toTable(rows: readonly Row[]): string {
  return table(
    [
      'contender',
      'call',
      'callers',
      'calls/s',
      'p50 ms',
      'p99 ms',
      'CPU us',
      '/production',
      '/SDK 1.32',
      '/floor',
    ],
    rows.map((row) => [
      row.contender,
      row.call,
      String(row.callers),
      String(row.callsPerSecond),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      row.cpuMicrosPerCall.toFixed(1),
      row.cpuOfProduction.toFixed(2),
      row.cpuOfSdk1.toFixed(2),
      row.cpuOfFloor.toFixed(1),
    ]),
  );
}

/** The memory as a table for a terminal. */
export function toMemoryTable(rows: readonly MemoryRow[]): string {
  return table(
    ['contender', 'RSS MiB', 'KiB/session', '(RSS)', 'KiB/stream', '(RSS)'],
    rows.map(({ contender, rssMiB, perSession }) => [
      contender,
      String(rssMiB),
      ...(perSession === undefined
        ? ['', '', '', '']
        : [
            perSession.idleHeldKiB,
            perSession.idleRssKiB,
            perSession.streamingHeldKiB,
            perSession.streamingRssKiB,
          ].map((value) => value.toFixed(1))),
    ]),
  );
}

/** Something measured, the most that it may be, and the promise. */
type Target = readonly [measured: number | undefined, most: number, promise: string];

/** What this repository's server promises and did not keep in these rows. Ratios within the run: they travel. */
export function missedTargets(rows: readonly Row[], memory: readonly MemoryRow[]): readonly string[] {
  const row = (contender: string, call: CallName, callers: number) =>
    rows.find((at) => at.contender === contender && at.call === call && at.callers === callers);
  const held = (contender: string) => memory.find((at) => at.contender === contender);
  const ofBoth = (contender: string, ofProduction: number, ofSdk1: number): readonly Target[] => [
    [row(contender, 'echo', 16)?.cpuOfProduction, ofProduction, `${contender}: CPU / production composition`],
    [row(contender, 'echo', 16)?.cpuOfSdk1, ofSdk1, `${contender}: CPU / bare SDK 1.32 session`],
  ];
  const targets: readonly Target[] = [
    ...ofBoth(EVERYTHING, 0.2, 1),
    ...ofBoth(EVERYTHING_SESSION, 0.2, 1),
    ...ofBoth(EVERY_SIGNATURE, 0.25, 1.3),
    [row(NO_TOKEN, 'echo', 16)?.cpuOfSdk1, 0.75, `${NO_TOKEN}: CPU / bare SDK 1.32 session`],
    [row(BARE, 'echo', 16)?.cpuOfSdk1, 0.5, `${BARE}: CPU / bare SDK 1.32 session`],
    [row(EVERYTHING, 'list', 16)?.cpuOfEcho, 1.2, `${EVERYTHING}: CPU of tools/list / of echo`],
    [row(BARE, 'list', 16)?.cpuOfFloor, 3, `${BARE}: CPU of tools/list / floor`],
    ...[EVERYTHING, EVERYTHING_SESSION].flatMap((contender): readonly Target[] => [
      [
        divided(row(contender, 'echo', 64)?.p99Ms, row(SDK_1, 'echo', 64)?.p99Ms),
        1,
        `${contender}: p99 with 64 callers / bare SDK 1.32 session`,
      ],
      [
        divided(held(contender)?.rssMiB, held(SDK_1)?.rssMiB),
        1,
        `${contender}: RSS after 10,000 calls / bare SDK 1.32 session`,
      ],
    ]),
    [held(EVERYTHING_SESSION)?.perSession?.idleHeldKiB, 40, `${EVERYTHING_SESSION}: KiB for an idle session`],
    [
      held(EVERYTHING_SESSION)?.perSession?.streamingHeldKiB,
      80,
      `${EVERYTHING_SESSION}: KiB for a session with an open stream`,
    ],
  ];
  return targets.flatMap(([measured, most, promise]) =>
    // What was not measured in this run was not missed.
    measured === undefined || Number.isNaN(measured) || measured <= most
      ? []
      : [`${promise}: ${measured.toFixed(2)}, not ${most}`],
  );
}

function divided(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
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

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
