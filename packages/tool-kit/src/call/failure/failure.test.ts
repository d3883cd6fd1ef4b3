import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import * as failure from './failure.ts';

describe('invalidInput', () => {
  const schema = z.strictObject({
    service: z.string().regex(/^[a-z0-9-]+$/u),
    environment: z.enum(['staging', 'production']),
    password: z.string().max(3),
  });

  it('says what is wrong with each argument', () => {
    const { error } = schema.safeParse({ service: 'A', environment: 'moon', password: 'x' });
    const { message } = failure.invalidInput('deploy', error as z.ZodError);

    expect(message).toMatch(/^Invalid arguments for deploy\. /u);
    expect(message).toContain('service: ');
    expect(message).toContain('environment: Invalid option: expected one of "staging"|"production"');
    expect(message).toMatch(/Correct them and try again\.$/u);
  });

  it('repeats no value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^Value[0-9a-f]{8,60}$/u), (value) => {
        const { error } = schema.safeParse({ service: value, environment: value, password: value });
        expect(failure.invalidInput('deploy', error as z.ZodError).message).not.toContain(value);
      }),
    );
  });

  it('stays short whatever the client sends', () => {
    const sent = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}`.repeat(500), 1]));
    const problems = z.record(z.string().max(2), z.string()).safeParse(sent).error as z.ZodError;
    const unrecognized = schema.safeParse(sent).error as z.ZodError;

    expect(failure.invalidInput('deploy', problems).message.length).toBeLessThan(4_000);
    expect(failure.invalidInput('deploy', problems).message).toMatch(/and \d+ more\./u);
    expect(failure.invalidInput('deploy', unrecognized).message.length).toBeLessThan(4_000);
  });
});

describe('limited', () => {
  it.each([
    [0, 1],
    [1, 1],
    [1000, 1],
    [1001, 2],
  ])('rounds %d ms up to %d s', (retryAfterMs, seconds) => {
    expect(failure.limited({ what: 'rate', scope: 'caller', retryAfterMs }).message).toContain(
      `Wait ${seconds} s`,
    );
  });
});

describe('unknownTarget', () => {
  it.each([
    ['tools/call', 'Unknown tool: x'],
    ['prompts/get', 'Unknown prompt: x'],
    ['resources/read', 'Unknown resource: x'],
    ['completion/complete', 'Unknown reference: x'],
  ])('of %s is "%s"', (method, message) => {
    expect(failure.unknownTarget(method, 'x', false).message).toBe(message);
  });

  it('is short for a long target', () => {
    expect(failure.unknownTarget('tools/call', 'x'.repeat(100_000), false).message.length).toBeLessThan(200);
  });
});

describe('every text', () => {
  const texts = [
    failure.denied('missing_permission', 'deploy:production', 'ref-1'),
    failure.denied('unavailable', 'deploy:production', 'ref-1'),
    failure.notRecorded('ref-1'),
    failure.interrupted('cancelled', true, 'ref-1'),
    failure.interrupted('deadline_exceeded', false, 'ref-1'),
    failure.internalFailure('ref-1', true),
    failure.internalFailure('ref-1', false),
  ].map(({ message }) => [message] as const);

  it.each(texts)('gives the reference and full sentences: %s', (message) => {
    expect(message).toContain('ref-1');
    expect(message).toMatch(/^[A-Z].*\.$/u);
  });
});
