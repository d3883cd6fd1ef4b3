import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createDigest, openAuditTrail, openPersonalKeys, createProtectedTrail } from '../src/index.ts';
import {
  intent,
  options,
  segmentFiles,
  storedEvents,
  temporaryDirectory,
  PRIVATE_DIRECTORY_MODE,
  PRIVATE_FILE_MODE,
} from './fixtures.ts';

const ada = { displayName: 'Ada Lovelace', email: 'ada@example.test' };
const id = 'https://issuer.test#ada';

async function keyFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).map((name) => join(directory, name));
}

describe('createDigest', () => {
  it('recognises a value, and only under the same name and key', () => {
    const [digest, other] = [createDigest(randomBytes(32)), createDigest(randomBytes(32))];
    expect(digest('token', 'x')).toMatch(/^hmac-sha256:[\w-]{8}:[\w-]{43}$/u);
    expect(digest('token', 'x')).toBe(digest('token', 'x'));
    expect(digest('token', 'x')).not.toBe(digest('token', 'y'));
    expect(digest('token', 'x')).not.toBe(digest('note', 'x'));
    expect(digest('token', 'x')).not.toBe(other('token', 'x'));
  });

  it('says which key it used', () => {
    const key = randomBytes(32);
    const keyId = (text: string) => text.split(':')[1];
    expect(keyId(createDigest(key)('a', 'b'))).toBe(keyId(createDigest(key)('c', 'd')));
    expect(keyId(createDigest(key)('a', 'b'))).not.toBe(keyId(createDigest(randomBytes(32))('a', 'b')));
  });

  it('cannot be confused by where a name ends', () => {
    const digest = createDigest(randomBytes(32));
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), (name, text, moved) => {
        expect(digest(name + moved, text)).not.toBe(digest(name, moved + text));
      }),
    );
  });

  it('refuses a key that could be guessed', () => {
    expect(() => createDigest(randomBytes(31))).toThrow(RangeError);
  });
});

describe('personal keys', () => {
  it('seal what only the same person opens', async () => {
    await using directory = await temporaryDirectory();
    const keys = await openPersonalKeys(directory.path);
    const sealed = await keys.seal(id, ada);
    expect(sealed).not.toContain('Ada');
    expect(await keys.open(id, sealed)).toEqual(ada);
    await keys.seal('https://issuer.test#bob', {});
    expect(await keys.open('https://issuer.test#bob', sealed)).toBeUndefined();
  });

  it('seal the same data once while the key lives, and anew when the data or the key is another', async () => {
    await using directory = await temporaryDirectory();
    const keys = await openPersonalKeys(directory.path);
    const first = await keys.seal(id, ada);
    expect(await keys.seal(id, { ...ada })).toBe(first);
    const married = { ...ada, displayName: 'Ada King' };
    expect(await keys.open(id, await keys.seal(id, married))).toEqual(married);
    expect(await keys.open(id, await keys.seal(id, { email: ada.email }))).toEqual({ email: ada.email });
    expect(await keys.seal('https://issuer.test#bob', ada)).not.toBe(first);
    await keys.destroy(id);
    expect(await keys.seal(id, ada)).not.toBe(first);
  });

  it('remember the people who act, not the people who came first', async () => {
    await using directory = await temporaryDirectory();
    const keys = await openPersonalKeys(directory.path);
    const first = await keys.seal(id, ada);
    for (let other = 0; other < 999; other += 1) {
      await keys.seal(`https://issuer.test#${other}`, ada);
    }
    expect(await keys.seal(id, ada)).toBe(first);
    await keys.seal('https://issuer.test#one-more', ada);
    expect(await keys.seal(id, ada)).toBe(first);
  });

  it('are kept over a restart and shared between processes', async () => {
    await using directory = await temporaryDirectory();
    const [one, two] = await Promise.all([
      openPersonalKeys(directory.path),
      openPersonalKeys(directory.path),
    ]);
    const sealed = await Promise.all([one.seal(id, ada), two.seal(id, ada)]);
    const later = await openPersonalKeys(directory.path);
    for (const text of sealed) {
      expect(await later.open(id, text)).toEqual(ada);
    }
    expect(await readdir(directory.path)).toHaveLength(1);
  });

  it('make everything sealed unreadable once destroyed, later events readable again', async () => {
    await using directory = await temporaryDirectory();
    const keys = await openPersonalKeys(directory.path);
    const sealed = await keys.seal(id, ada);
    expect(await keys.destroy(id)).toBe(true);
    expect(await keys.open(id, sealed)).toBeUndefined();
    expect(await readdir(directory.path)).toEqual([]);
    expect(await keys.destroy(id)).toBe(false);
    const later = await keys.seal(id, ada);
    expect(await keys.open(id, later)).toEqual(ada);
    expect(await keys.open(id, sealed)).toBeUndefined();
  });

  it('are private files whose names tell nobody', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'keys');
    await (await openPersonalKeys(path)).seal(id, ada);
    expect((await stat(path)).mode & 0o777).toBe(PRIVATE_DIRECTORY_MODE);
    const [file = ''] = await keyFiles(path);
    expect((await stat(file)).mode & 0o777).toBe(PRIVATE_FILE_MODE);
    expect(file).not.toContain('ada');
  });

  it.each(['', 'v1', 'v1..', 'v2.a.b', 'v1.AAAA.AAAA', `v1.${'A'.repeat(16)}.${'A'.repeat(60)}`])(
    'do not open the text "%s"',
    async (text) => {
      await using directory = await temporaryDirectory();
      const keys = await openPersonalKeys(directory.path);
      await keys.seal(id, ada);
      expect(await keys.open(id, text)).toBeUndefined();
    },
  );

  it('refuse to seal when the key is damaged or cannot be stored', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'keys');
    await (await openPersonalKeys(path)).seal(id, ada);
    const [file = ''] = await keyFiles(path);
    await writeFile(file, 'short');
    await expect((await openPersonalKeys(path)).seal(id, ada)).rejects.toMatchObject({ code: 'unavailable' });
    const keys = await openPersonalKeys(path);
    await rm(path, { recursive: true });
    await expect(keys.seal(id, ada)).rejects.toMatchObject({ code: 'unavailable' });
    await mkdir(path);
  });

  it('keep long names within what one event can hold', async () => {
    await using directory = await temporaryDirectory();
    const keys = await openPersonalKeys(directory.path);
    const long = { displayName: '\u{1f600}'.repeat(200), email: `${'e'.repeat(400)}@example.test` };
    const sealed = await keys.seal(id, long);
    expect(sealed.length).toBeLessThan(1024);
    expect(await keys.open(id, sealed)).toEqual({
      displayName: '\u{1f600}'.repeat(64),
      email: 'e'.repeat(256),
    });
  });
});

describe('a protected trail', () => {
  it('stores and ships names only sealed, and verifies after the key is gone', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'trail');
    const keys = await openPersonalKeys(join(directory.path, 'keys'));
    const shipped: string[] = [];
    const sink = {
      name: 'memory',
      deliver: async (events: unknown) => void shipped.push(JSON.stringify(events)),
    };
    {
      const inner = await openAuditTrail({ ...options(path), sinks: [sink] });
      await using trail = createProtectedTrail(inner, { personalKeys: keys });
      const actor = { id, kind: 'user', groups: ['platform'], ...ada } as const;
      const entry = await trail.begin(intent({ actor }));
      await entry.finish({ result: 'success', durationMs: 1 });
    }
    const files = await Promise.all((await segmentFiles(path)).map((file) => readFile(file, 'utf8')));
    expect([...files, ...shipped].join('')).not.toMatch(/Ada|ada@/u);
    const [begun, ended] = await storedEvents(path);
    for (const event of [begun, ended]) {
      expect(event?.actor).toEqual({ id, kind: 'user', groups: ['platform'], sealed: expect.any(String) });
      expect(await keys.open(id, event?.actor.sealed ?? '')).toEqual(ada);
    }
    await keys.destroy(id);
    await using reopened = await openAuditTrail(options(path));
    expect(reopened.health().state).toBe('ok');
    expect(await keys.open(id, begun?.actor.sealed ?? '')).toBeUndefined();
  });

  it('leaves names out without keys', async () => {
    await using directory = await temporaryDirectory();
    await using trail = createProtectedTrail(await openAuditTrail(options(directory.path)), {});
    await trail.begin(intent({ actor: { id, kind: 'user', groups: [], ...ada } }));
    expect((await storedEvents(directory.path))[0]?.actor).toEqual({ id, kind: 'user', groups: [] });
  });

  it('leaves an anonymous actor as it is', async () => {
    await using directory = await temporaryDirectory();
    const personalKeys = await openPersonalKeys(join(directory.path, 'keys'));
    await using trail = createProtectedTrail(await openAuditTrail(options(directory.path)), { personalKeys });
    await trail.begin(intent({ actor: { id: 'anonymous', kind: 'anonymous', groups: [] } }));
    expect((await storedEvents(directory.path))[0]?.actor).toMatchObject({ kind: 'anonymous' });
    expect(await readdir(join(directory.path, 'keys'))).toEqual([]);
  });

  it('records the id alone, and says so, when a name cannot be sealed', async () => {
    await using directory = await temporaryDirectory();
    const keysPath = join(directory.path, 'keys');
    const personalKeys = await openPersonalKeys(keysPath);
    await rm(keysPath, { recursive: true });
    const errors: string[] = [];
    await using trail = createProtectedTrail(await openAuditTrail(options(directory.path)), {
      personalKeys,
      logger: { warn: () => undefined, error: (_fields, message) => errors.push(message) },
    });
    await trail.begin(intent({ actor: { id, kind: 'user', groups: [], ...ada } }));
    expect((await storedEvents(directory.path))[0]?.actor).toEqual({ id, kind: 'user', groups: [] });
    expect(errors).toEqual(['a name could not be sealed and was left out of the audit trail']);
  });

  it('makes digests only with a key', async () => {
    await using directory = await temporaryDirectory();
    await using trail = await openAuditTrail(options(directory.path));
    expect(createProtectedTrail(trail, {}).digest).toBeUndefined();
    expect(createProtectedTrail(trail, { digest: createDigest(randomBytes(32)) }).digest?.('a', 'b')).toMatch(
      /^hmac/u,
    );
  });
});
