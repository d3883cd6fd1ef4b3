import { expect, it } from 'vitest';

import { AuditError, type AuditErrorCode } from './errors.ts';

const codes: Readonly<Record<AuditErrorCode, true>> = {
  locked: true,
  damaged: true,
  forged: true,
  lost: true,
  signing_failed: true,
  anchor_failed: true,
  unavailable: true,
  already_finished: true,
  closed: true,
  delivery_failed: true,
  refused_by_sink: true,
  not_confirmed: true,
  read_failed: true,
  rejected_by_sink: true,
  disk_low: true,
  disk_quota: true,
};

it.each(Object.keys(codes))(
  'tells the public a sentence, and nothing of what operators are told: %s',
  (code) => {
    const cause = new Error('ENOSPC');
    const error = new AuditError(code as AuditErrorCode, '/var/lib/secret is full', { cause });
    expect(error.publicMessage).toMatch(/^The [^/]+\.( [A-Z][^/]+\.)?$/u);
    expect(error.publicMessage).not.toContain('secret');
    expect(error).toMatchObject({ name: 'AuditError', code, message: '/var/lib/secret is full', cause });
    expect(error.retryAfterMs).toBeUndefined();
  },
);
