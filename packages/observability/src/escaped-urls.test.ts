import { describe, expect, it } from 'vitest';

import { redactText } from './redact-text.ts';
import { redactJsonLine } from './redact.ts';

const SECRET = 'Pl4ntedValue123456';
const line = (record: unknown) => redactJsonLine(`${JSON.stringify(record)}\n`);

describe('a URL inside other text', () => {
  const sas = `https://a.blob.test/c?sv=1&sig=${SECRET}&se=2`;
  const login = `https://bot:${SECRET}@git.test/r`;
  it.each([
    ['a signature as a query', `/go?to=${encodeURIComponent(sas)}`, 'se%3D2'],
    [
      'a signature in JSON that escapes &',
      JSON.stringify({ to: sas }).replaceAll('&', String.raw`\u0026`),
      'se=2',
    ],
    ['a password as a query', `/go?to=${encodeURIComponent(login)}`, 'git.test'],
    [
      'a password in JSON that escapes /',
      JSON.stringify({ to: login }).replaceAll('/', String.raw`\/`),
      'git.test',
    ],
  ])('keeps %s, and loses the secret', (_, text, kept) => {
    const clean = redactText(text);
    expect(clean).not.toContain(SECRET);
    expect(clean).toContain(kept);
    expect(redactText(clean)).toBe(clean);
    expect(line({ text })).not.toContain(SECRET);
    expect(line({ text: JSON.stringify(text) })).not.toContain(SECRET);
  });

  it.each([
    [`https://a.test/cb?code=ab%26${SECRET}&state=1`, 'state=1'],
    [String.raw`https://a.test/c?sv=1\u0026sig=ab\u002b${SECRET}\u0026se=2`, 'se=2'],
  ])('loses a secret to its end: %s', (text, kept) => {
    expect(redactText(text)).not.toContain(SECRET);
    expect(redactText(text)).toContain(kept);
    expect(line({ text })).not.toContain(SECRET);
  });

  it.each([
    '/go?to=https%3A%2F%2Fa.test%2Fr&mail=a%40b.test',
    '/go?to=https%3A%2F%2Fa.test%3Fmail%3Da%40b.test%26signal%3D1%26codec%3Dgzip',
    String.raw`{"to":"https:\/\/a.test\/r@1.2?signal=1\u0026codec=gzip"}`,
  ])('stays as it is without one: %s', (text) => {
    expect(redactText(text)).toBe(text);
    expect(JSON.parse(line({ text }))).toEqual({ text });
  });
});
