import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { backoffDelayMs, isReplayableLoss, isReplayableStatus, parseRetryAfterMs } from './replay.ts';

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffDelayMs', () => {
  it('stays between 0 and the doubling bound, and never exceeds the cap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(1e6),
        unit,
        (n, base, extra, r) => {
          const maxDelayMs = base + extra;
          const delay = backoffDelayMs(n, { baseDelayMs: base, maxDelayMs }, () => r);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(maxDelayMs, base * 2 ** (n - 1)));
        },
      ),
    );
  });

  it('spreads over the whole range', () => {
    const policy = { baseDelayMs: 200, maxDelayMs: 5_000 };
    expect(backoffDelayMs(3, policy, () => 0)).toBe(0);
    expect(backoffDelayMs(3, policy, () => 0.5)).toBe(400);
    expect(backoffDelayMs(10, policy, () => 0.5)).toBe(2_500);
  });
});

describe('parseRetryAfterMs', () => {
  const now = Date.UTC(2026, 0, 1);

  it('reads seconds', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(parseRetryAfterMs(String(seconds), now)).toBe(seconds * 1000);
      }),
    );
  });

  it('reads an HTTP date as the time left, and never as less than none', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), (seconds) => {
        const date = new Date(now + seconds * 1000).toUTCString();
        expect(parseRetryAfterMs(date, now)).toBe(Math.max(0, seconds * 1000));
      }),
    );
  });

  it.each(['Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'reads the obsolete date form %s',
    (date) => {
      expect(parseRetryAfterMs(date, Date.UTC(1994, 10, 6, 8, 49, 7))).toBe(30_000);
    },
  );

  it('returns a whole finite number or nothing for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[A-Z][a-z]{2}, [\d\w :]*$/), fc.stringMatching(/^\d+$/)),
        (text) => {
          const delay = parseRetryAfterMs(text, now) ?? 0;
          expect(Number.isFinite(delay) && delay >= 0).toBe(true);
        },
      ),
    );
  });

  it.each([undefined, '', '-1', '1.5', '1e3', 'soon', '2026-01-01', ' 5'])('ignores %j', (value) => {
    expect(parseRetryAfterMs(value, now)).toBeUndefined();
  });
});

describe('the replay rule', () => {
  it('lets anything be sent again that certainly did not leave, or was refused for load', () => {
    expect(isReplayableLoss('no', 'never')).toBe(true);
    expect(isReplayableStatus(429, 'never')).toBe(true);
  });

  it.each(['maybe', 'yes'] as const)(
    'lets a lost request (sent: %s) be sent again only if twice is as good as once',
    (sent) => {
      expect(isReplayableLoss(sent, 'never')).toBe(false);
      expect(isReplayableLoss(sent, 'idempotent')).toBe(true);
      expect(isReplayableLoss(sent, 'key')).toBe(true);
    },
  );

  it('repeats transient statuses only', () => {
    const repeated = Array.from({ length: 600 }, (_, status) => status).filter((s) =>
      isReplayableStatus(s, 'idempotent'),
    );
    expect(repeated).toEqual([408, 429, 500, 502, 503, 504]);
  });
});
