import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from './run-cli.ts';

const policyText = `
version: 1
permissions: [deploy:read, deploy:staging, deploy:production]
groups: [platform, production-deployers]
grants:
  - { group: platform, allow: ['deploy:*'] }
  - { service: ci-bot, issuer: https://idp.test, allow: [deploy:staging] }
require:
  deploy:production: { allGroups: [production-deployers], scopes: [deploy:production], fresh: true }
scopes: { deploy:write: [deploy:read, deploy:staging] }
...
`;
const directoryText = `
version: 1
users:
  https://idp.test#alice: { groups: [platform, production-deployers] }
  https://idp.test#bob: { groups: [platform] }
  https://other.test#bob: { groups: [] }
  'https://idp.test#=cmd': { groups: [platform] }
`;
const changedAt = new Date('2026-01-15T10:00:00Z');

let folder: string;
let policy: string;
let directory: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-auth-'));
  policy = join(folder, 'policy.yaml');
  directory = join(folder, 'directory.yaml');
  await writeFile(policy, policyText);
  await writeFile(directory, directoryText);
  await utimes(directory, changedAt, changedAt);
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runCli(argv, {
    write: (text) => void (stdout += text),
    writeError: (text) => void (stderr += text),
    now: () => changedAt.getTime() + 3 * 60_000,
    version: '1.2.3',
  });
  return { code, stdout, stderr };
}
const explain = (...more: string[]) => run('explain', '--policy', policy, '--directory', directory, ...more);

describe('mcp-auth explain', () => {
  it('names rule, groups, scopes and the age of the data of what is allowed', async () => {
    const { code, stdout } = await explain(
      '--user',
      'https://idp.test#alice',
      '--permission',
      'deploy:production',
    );
    expect(stdout).toBe(`ALLOWED  deploy:production for https://idp.test#alice
  rule      grant group platform: deploy:*
  grants    group platform: deploy:*
  groups    platform (direct)
  groups    production-deployers (direct)
  requires  group production-deployers: yes
  requires  groups looked up at the time of the call
  scopes    deploy:production (assumed; give --scopes)
  needs     deploy:production (the smallest set of scopes)
  data      ${directory}, 3 min old
`);
    expect(code).toBe(0);
  });

  it('says which group is missing', async () => {
    const { code, stdout } = await explain(
      '--user',
      'https://idp.test#bob',
      '--permission',
      'deploy:production',
    );
    expect(stdout).toContain('DENIED  deploy:production for https://idp.test#bob');
    expect(stdout).toContain('rule      require deploy:production');
    expect(stdout).toContain('reason    missing_group');
    expect(stdout).toContain('requires  group production-deployers: NO');
    expect(code).toBe(1);
  });

  it('looks at the scopes it is given', async () => {
    const args = [
      '--user',
      'alice',
      '--permission',
      'deploy:production',
      '--scopes',
      'deploy:write,deploy:read',
    ];
    const { code, stdout } = await explain(...args);
    expect(stdout).toContain('reason    missing_scope');
    expect(stdout).toContain('scopes    deploy:write deploy:read\n');
    expect(code).toBe(1);
  });

  it('answers for machines', async () => {
    const { stdout } = await explain('--user', 'alice', '--permission', 'deploy:staging', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      who: 'https://idp.test#alice',
      decision: { allowed: true, rule: 'grant group platform: deploy:*' },
      memberships: [
        { group: 'platform', via: [] },
        { group: 'production-deployers', via: [] },
      ],
      scopes: { held: ['deploy:write'], assumed: true, needed: ['deploy:write'] },
      data: { source: directory, asOf: changedAt.toISOString(), ageMs: 180_000 },
    });
  });

  it.each([
    [['--service', 'ci-bot', '--issuer', 'https://idp.test'], 0],
    [['--service', 'ci-bot', '--issuer', 'https://other.test'], 1],
    [['--service', 'ci-bot'], 1],
    [['--user', 'nobody'], 1],
  ])('decides for %j', async (who, expected) => {
    expect((await explain(...who, '--permission', 'deploy:staging')).code).toBe(expected);
  });

  it.each([
    [['--permission', 'deploy:staging'], '--user or --service is required'],
    [['--user', 'alice'], '--permission is required'],
    [['--user', 'alice', '--permission', 'deploy:*'], 'the policy has no permission deploy:*'],
    [
      ['--user', 'bob', '--permission', 'deploy:read'],
      '--user bob is ambiguous: https://idp.test#bob, https://other',
    ],
    [['--user', 'alice', '--permision', 'deploy:read'], "Unknown option '--permision'"],
  ])('cannot answer %j', async (args, problem) => {
    const { code, stderr, stdout } = await explain(...args);
    expect(stderr).toContain(problem);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('mcp-auth review', () => {
  it('lists everybody’s permissions and the rule behind each, as CSV that runs nothing', async () => {
    const { code, stdout } = await run('review', '--policy', policy, '--directory', directory);
    expect(stdout.split('\r\n')).toEqual([
      'principal,kind,permission,rule,conditions',
      'https://idp.test#=cmd,user,deploy:read,grant group platform: deploy:*,scope deploy:write',
      'https://idp.test#=cmd,user,deploy:staging,grant group platform: deploy:*,scope deploy:write',
      'https://idp.test#alice,user,deploy:production,grant group platform: deploy:*,in production-deployers; scope deploy:production; fresh groups',
      'https://idp.test#alice,user,deploy:read,grant group platform: deploy:*,scope deploy:write',
      'https://idp.test#alice,user,deploy:staging,grant group platform: deploy:*,scope deploy:write',
      'https://idp.test#bob,user,deploy:read,grant group platform: deploy:*,scope deploy:write',
      'https://idp.test#bob,user,deploy:staging,grant group platform: deploy:*,scope deploy:write',
      'https://other.test#bob,user,,none,',
      'https://idp.test#ci-bot,service,deploy:staging,grant service ci-bot: deploy:staging,scope deploy:write',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('answers for machines', async () => {
    const { stdout } = await run('review', '--policy', policy, '--directory', directory, '--json');
    expect(JSON.parse(stdout)).toHaveLength(9);
  });
});

describe('mcp-auth check', () => {
  it('passes a good policy', async () => {
    const { code, stdout } = await run('check', policy, '--directory', directory);
    expect(stdout).toBe(`${policy}: valid; 3 permissions, 2 groups, 2 grants, 0 warnings\n`);
    expect(code).toBe(0);
  });

  it('warns of what is probably not meant', async () => {
    const odd = join(folder, 'odd.yaml');
    await writeFile(
      odd,
      `version: 1\npermissions: [a:read, a:write]\ngroups: [x, y]\ngrants:\n  - { group: x, allow: ['a:read'] }\n...\n`,
    );
    const { code, stdout } = await run('check', odd, '--directory', directory, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      findings: [
        'nobody is granted a:write',
        'the group y is used nowhere',
        `nobody in ${directory} is in the group x`,
        `nobody in ${directory} is in the group y`,
      ],
    });
    expect(code).toBe(1);
  });

  it('reports every problem of a policy that would not start', async () => {
    const bad = join(folder, 'bad.yaml');
    await writeFile(
      bad,
      `${policyText.replace('...', '')}\ngrant: []\n...\n`.replace('group: platform', 'group: plattform'),
    );
    const { code, stdout } = await run('check', bad);
    expect(stdout).toContain('error: ' + bad);
    expect(stdout).toContain('"plattform" is not in groups');
    expect(stdout).toContain('Unrecognized key: "grant"');
    expect(stdout).toContain(`${bad}: not valid; 2 errors`);
    expect(code).toBe(1);
    const { stdout: json } = await run('check', bad, '--json');
    expect(JSON.parse(json)).toMatchObject({ policy: bad, problems: expect.any(Array), findings: [] });
  });

  it('reports a directory that would not start', async () => {
    const bad = join(folder, 'bad-directory.yaml');
    await writeFile(bad, 'version: 2\nusers: {}\n');
    const { code, stdout } = await run('check', policy, '--directory', bad);
    expect(stdout).toContain(`error: ${bad}: version`);
    expect(code).toBe(1);
  });

  it('cannot answer without a file that can be read', async () => {
    const { code, stderr } = await run('check', join(folder, 'nowhere.yaml'));
    expect(stderr).toMatch(/^mcp-auth: ENOENT[^\n]*\nRun mcp-auth --help for usage\.\n$/);
    expect(code).toBe(2);
  });
});

describe('mcp-auth', () => {
  it('explains itself, and knows no other command', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: mcp-auth <command> \[options\]\n[^]*\n {2}explain /),
    });
    expect(await run('explain', '--help')).toMatchObject({ code: 0 });
    expect(await run()).toMatchObject({ code: 2 });
    expect(await run('delete')).toMatchObject({
      code: 2,
      stderr: 'mcp-auth: unknown command "delete"\nRun mcp-auth --help for usage.\n',
    });
  });
});
