import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseRetryAfterMs } from './retry-after.ts';

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
