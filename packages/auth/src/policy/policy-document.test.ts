import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadPolicy } from './policy-document.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policy-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function loadAsIs(text: string, name = 'policy.yaml') {
  const path = join(folder, name);
  await writeFile(path, text);
  return loadPolicy(path);
}
const load = (text: string) => loadAsIs(`${text}...\n`);

const base = `
version: 1
permissions: [deploy:staging, deploy:production]
groups: [platform]
grants:
  - { group: platform, allow: ['deploy:*'] }
`;

describe('loadPolicy', () => {
  it('reads YAML', async () => {
    expect(await load(base)).toMatchObject({ version: 1, groups: ['platform'] });
  });

  const whole = `${base}require:
  deploy:production: { scopes: [deploy:production] }
  # closes the file
...
`;

  it('takes no policy that was cut off, wherever', async () => {
    await expect(loadAsIs(whole)).resolves.toHaveProperty('require');
    await expect(loadAsIs(whole.trimEnd())).resolves.toHaveProperty('require');
    for (let length = 0; length < whole.trimEnd().length; length += 1) {
      await expect(loadAsIs(whole.slice(0, length))).rejects.toThrow(TypeError);
    }
  });

  it('takes no JSON that was cut off, wherever', async () => {
    const json = JSON.stringify({ ...(await load(base)), require: { 'deploy:production': { fresh: true } } });
    for (let length = 0; length < json.length; length += 1) {
      await expect(loadAsIs(json.slice(0, length))).rejects.toThrow(TypeError);
    }
    await expect(loadAsIs(`\u{FEFF}${json}`)).resolves.toHaveProperty('require');
  });

  it('says that the end is missing beside whatever else is wrong', async () => {
    const problems = /its end is missing: the last line must be "\.\.\."[^\n]*\n.*Unrecognized key: "grant"/;
    await expect(loadAsIs(`${base}grant: []\n`)).rejects.toThrow(problems);
  });

  it.each([
    ['with line breaks of Windows', whole.replaceAll('\n', '\r\n')],
    ['with a comment after its end', `${whole}# reviewed\n`],
    ['in braces', `{ version: 1, permissions: ['a:read'], groups: [], grants: [] } # all of it\n`],
  ])('takes a whole one %s', async (_, text) => {
    await expect(loadAsIs(text)).resolves.toMatchObject({ version: 1 });
  });

  it('takes no document that refers to itself a billion times', async () => {
    const lists = Array.from('bcdefghi', (name, index) => {
      const before = 'abcdefgh'[index];
      return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(', ')}]\n`;
    });
    await expect(loadAsIs(`a: &a [x, x, x]\n${lists.join('')}${whole}`)).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(/Excessive alias count/u),
    });
  });

  it('reads JSON', async () => {
    const document = { version: 1, permissions: ['deploy:staging'], groups: [], grants: [] };
    expect(await loadAsIs(JSON.stringify(document), 'policy.json')).toEqual(document);
  });

  it.each([
    ['an unknown key', `${base}grant: []\n`, '(document): Unrecognized key: "grant"'],
    ['a later version', base.replace('version: 1', 'version: 2'), 'version: '],
    [
      'an unknown group in a grant',
      base.replace('{ group: platform', '{ group: plattform'),
      'grants[0].group: "plattform" is not in groups',
    ],
    [
      'an unknown permission in a grant',
      base.replace('deploy:*', 'deploy:prod'),
      'grants[0].allow[0]: "deploy:prod" covers nothing in permissions',
    ],
    [
      'a wildcard that covers nothing',
      base.replace('deploy:*', 'logs:*'),
      'grants[0].allow[0]: "logs:*" covers nothing in permissions',
    ],
    [
      'a wildcard inside a word',
      base.replace('deploy:*', 'deploy:s*'),
      'grants[0].allow[0]: "*" may only be the whole last segment',
    ],
    [
      'a wildcard in the middle',
      base.replace('deploy:*', '*:staging'),
      'grants[0].allow[0]: "*" may only be the whole last segment',
    ],
    [
      'a grant for nobody',
      base.replace('group: platform, ', ''),
      'grants[0]: must be { group, allow } or { service, issuer?, allow }',
    ],
    [
      'a permission in capitals',
      base.replace('deploy:production', 'deploy:Production'),
      'permissions[1]: must look like "area:action", in lower case',
    ],
    [
      'a requirement on a wildcard',
      `${base}require: { 'deploy:*': { allGroups: [platform] } }\n`,
      'require["deploy:*"]: is not in permissions',
    ],
    [
      'a requirement of an unknown group',
      `${base}require: { 'deploy:production': { allGroups: [ops] } }\n`,
      'require["deploy:production"].allGroups[0]: "ops" is not in groups',
    ],
    [
      'a requirement of an unknown scope',
      `${base}require: { 'deploy:production': { scopes: [prod] } }\n`,
      'require["deploy:production"].scopes[0]: "prod" is neither in scopes nor a permission',
    ],
    [
      'a requirement of nothing',
      `${base}require: { 'deploy:production': {} }\n`,
      'require["deploy:production"]: requires nothing',
    ],
    [
      'a freshness that is switched off',
      `${base}require: { 'deploy:production': { fresh: false } }\n`,
      'require["deploy:production"].fresh: ',
    ],
    [
      'a misspelt requirement',
      `${base}require: { 'deploy:production': { anyGroups: [platform] } }\n`,
      'Unrecognized key: "anyGroups"',
    ],
    [
      'a scope for an unknown permission',
      `${base}scopes: { write: ['deploy:qa'] }\n`,
      'scopes.write[0]: "deploy:qa" covers nothing in permissions',
    ],
    ['a key twice', `${base}version: 1\n`, 'Map keys must be unique'],
    ['a tag that nobody reads', base.replace('[platform]', '[!team platform]'), 'Unresolved tag: !team'],
    ['not YAML', '{ version: 1', 'policy.yaml: '],
  ])('refuses %s, naming file, key and problem', async (_, text, problem) => {
    const error: unknown = await load(text).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(join(folder, 'policy.yaml'));
    expect(String(error)).toContain(problem);
  });

  it('lists all problems at once', async () => {
    const text = base.replace('deploy:*', 'logs:*').replace('{ group: platform', '{ group: ops');
    await expect(load(text)).rejects.toThrow(/grants\[0\]\.group.*\n.*grants\[0\]\.allow\[0\]/);
  });
});
