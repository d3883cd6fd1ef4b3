import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AuditError } from '../errors.ts';
import { checkAnswer, type CollectorAnswer } from './collector-answer.ts';

const ids = ['a', 'b', 'c'];

function codeOf(answer: Partial<CollectorAnswer>, sent: readonly string[] = ids): string {
  try {
    checkAnswer(
      { status: 200, contentType: 'application/json', body: '', retryAfterMs: undefined, ...answer },
      sent,
    );
    return 'delivered';
  } catch (error) {
    return error instanceof AuditError ? error.code : String(error);
  }
}

const json = (value: unknown) => ({ body: JSON.stringify(value) });
const bulk = (...statuses: readonly number[]) => ({
  took: 3,
  errors: statuses.some((status) => status > 299),
  items: statuses.map((status) => ({ create: { _id: '1', status, ...(status > 299 && { error: {} }) } })),
});

describe('an answer with a status of 2xx', () => {
  it.each<[string, Partial<CollectorAnswer>]>([
    ['204', { status: 204, contentType: null }],
    ['an empty body', { status: 201 }],
    ['ok as plain text', { contentType: 'text/plain', body: 'ok\n' }],
    ['an empty object', json({})],
    ['a byte order mark', { body: '\uFEFF{}' }],
    ['our own counts', json({ accepted: 1, duplicates: 2 })],
    ['a bulk request without errors', json(bulk(201, 200, 201))],
    ['documents that are there already', json(bulk(201, 409, 409))],
    [
      'Multi-Status',
      { status: 207, ...json({ results: [{ status: 200 }, { status: 201 }, { statusCode: 200 }] }) },
    ],
    ['Splunk', json({ text: 'Success', code: 0 })],
    ['Splunk with acknowledgement', json({ text: 'Success', code: 0, ackId: 7 })],
    ['OTLP', json({ partialSuccess: {} })],
    ['OTLP with a warning', json({ partialSuccess: { rejectedLogRecords: '0', errorMessage: 'slow' } })],
    ['another object', json({ status: 'ok', error: null })],
  ])('confirms: %s', (_name, answer) => {
    expect(codeOf(answer)).toBe('delivered');
  });

  it.each<[string, Partial<CollectorAnswer>]>([
    ['a sign-in page', { contentType: 'text/html', body: '<!doctype html><title>Sign in</title>' }],
    ['a page that calls itself JSON', { body: '<html></html>' }],
    ['JSON that is cut off', { body: '{"accepted":3,"dupl' }],
    ['garbage', { contentType: null, body: '\u0000\u0001' }],
    ['ok where JSON is announced', { body: 'ok' }],
    ['a list', json([])],
    ['null', json(null)],
    ['too much to read', { body: undefined }],
    ['a count that is short', json({ accepted: 1, duplicates: 1 })],
    ['rejected ones', json({ accepted: 3, rejected: 1 })],
    ['errors without items', json({ errors: true })],
    ['too few items', json(bulk(201, 201))],
    ['items without a status', json({ items: [{}, {}, {}] })],
    ['Multi-Status without items', { status: 207, ...json({}) }],
    ['Multi-Status without a body', { status: 207 }],
    ['a part', { status: 206, body: '' }],
    ['a failure in an object', json({ success: false })],
    ['an error in an object', json({ error: 'unauthorized' })],
    ['a list of errors', json({ errors: [{ message: 'no' }] })],
    ['an error status in an object', json({ status: 500 })],
  ])('confirms nothing: %s', (_name, answer) => {
    expect(codeOf(answer)).toBe('not_confirmed');
  });

  it.each([
    [6, 'rejected_by_sink'],
    [4, 'refused_by_sink'],
    [9, 'delivery_failed'],
    [17, 'delivery_failed'],
  ])('of Splunk with code %i is %s', (code, expected) => {
    expect(codeOf(json({ text: 'Something', code }))).toBe(expected);
  });

  it('of OTLP that rejects records is about what is in them', () => {
    expect(codeOf(json({ partialSuccess: { rejectedLogRecords: '2' } }))).toBe('rejected_by_sink');
  });

  it('names the items that a bulk request did not take, and whether they may come again', () => {
    const check = () =>
      checkAnswer(
        { status: 200, contentType: null, retryAfterMs: undefined, ...json(bulk(201, 400, 429)) },
        ids,
      );
    expect(check).toThrow(
      expect.objectContaining({
        code: 'rejected_by_sink',
        refused: [
          { id: 'b', isRetryable: false },
          { id: 'c', isRetryable: true },
        ],
      }),
    );
    expect(codeOf(json(bulk(201, 503, 403)))).toBe('delivery_failed');
  });

  it('is taken for delivery or for an error of ours, whatever it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 299 }), fc.oneof(fc.json(), fc.string()), (status, body) => {
        expect(codeOf({ status, body })).toMatch(
          /^(?:delivered|delivery_failed|refused_by_sink|rejected_by_sink|not_confirmed)$/u,
        );
      }),
    );
  });
});
