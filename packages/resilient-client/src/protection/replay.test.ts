import { describe, expect, it } from 'vitest';

import { isReplayableLoss, isReplayableStatus } from './replay.ts';

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
