import { array, assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytes, duration, seconds } from '../console/format.ts';
import { History } from '../console/history.ts';
import { parseMetrics, quantile, Scrape } from '../console/metrics.ts';

const text = String.raw`# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{tool="a",result="success"} 3
calls_total{tool="a \"b\"\\ c",result="failure"} 4.5
took_bucket{le="0.1"} 90
took_bucket{le="1"} 100
took_bucket{le="+Inf"} 100
up 1
`;

describe('a scrape', () => {
  it('is read with its labels', () => {
    const scrape = new Scrape(parseMetrics(text));
    expect(scrape.sum('calls_total')).toBe(7.5);
    expect(scrape.sum('calls_total', { result: 'success' })).toBe(3);
    expect(scrape.values('calls_total', 'tool')).toEqual(['a', String.raw`a "b"\ c`]);
    expect(scrape.value('up')).toBe(1);
    expect(scrape.value('down')).toBeUndefined();
    expect([...scrape.buckets('took')]).toEqual([
      [0.1, 90],
      [1, 100],
      [Infinity, 100],
    ]);
  });
});

describe('a quantile', () => {
  it('lies in the bucket that holds it, as Prometheus has it', () => {
    const now = new Scrape(parseMetrics(text)).buckets('took');
    expect(quantile(0.45, now, new Map())).toBeCloseTo(0.05);
    expect(quantile(0.95, now, new Map())).toBeCloseTo(0.55);
    expect(quantile(0.95, now, now)).toBeUndefined();
  });

  it('never leaves the bounds of the buckets, and rises with the share', () => {
    const counts = array(integer({ min: 1, max: 50 }), { minLength: 3, maxLength: 3 });
    assert(
      property(counts, double({ min: 0.01, max: 1, noNaN: true }), ([a = 0, b = 0, c = 0], q) => {
        const buckets = new Map([
          [1, a],
          [2, a + b],
          [Infinity, a + b + c],
        ]);
        const value = quantile(q, buckets, new Map());
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(2);
        expect(quantile(Math.min(1, q + 0.1), buckets, new Map())).toBeGreaterThanOrEqual(value ?? 0);
      }),
    );
  });
});

describe('the history', () => {
  const scrapeOf = (calls: number, uptime: number) =>
    new Scrape(parseMetrics(`calls_total ${calls}\nprocess_uptime_seconds ${uptime}\n`));

  it('tells how much a counter grows in a minute', () => {
    const history = new History();
    history.add({ at: 0, scrape: scrapeOf(10, 5) });
    expect(history.perMinute('calls_total')).toBe(0);
    history.add({ at: 2_000, scrape: scrapeOf(14, 7) });
    expect(history.perMinute('calls_total')).toBe(120);
    expect(history.rates('calls_total')).toEqual([0, 120]);
  });

  it('begins anew when the server does', () => {
    const history = new History();
    history.add({ at: 0, scrape: scrapeOf(1_000, 500) });
    history.add({ at: 2_000, scrape: scrapeOf(2, 1) });
    expect(history.perMinute('calls_total')).toBe(0);
  });
});

it('writes times and sizes in units that can be read', () => {
  expect([0, 59.6, 3_600, 3_661, 90_000].map(duration)).toEqual([
    '0 s',
    '1 min',
    '1 h',
    '1 h 1 min',
    '1 d 1 h',
  ]);
  expect([undefined, 0.0042, 0.25, 2.5, 75].map(seconds)).toEqual([
    '–',
    '4.2 ms',
    '250 ms',
    '2.50 s',
    '1 min 15 s',
  ]);
  expect([undefined, 0, 512, 1_536, 2 ** 34].map(bytes)).toEqual([
    '–',
    '0 B',
    '512 B',
    '1.5 KiB',
    '16.0 GiB',
  ]);
});
