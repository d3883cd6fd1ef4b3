import { covers } from '../policy/permission-pattern.ts';
import { loadPolicy } from '../policy/policy-document.ts';
import type { PolicyDocument } from '../policy/policy-document.ts';
import { createPolicy } from '../policy/policy.ts';
import type { Decision, PolicySubject } from '../policy/policy.ts';
import { need, readArguments } from './arguments.ts';
import { openGroupFile } from './group-file.ts';
import type { Membership } from './group-file.ts';
import { askLdapMemberships } from './ldap-memberships.ts';
import type { CliOutput, ExitCode } from './run-cli.ts';

const options = ['policy', 'directory', 'password-file', 'user', 'service', 'issuer', 'permission', 'scopes'];

interface Explanation {
  readonly who: string;
  readonly permission: string;
  readonly decision: Decision;
  readonly memberships: readonly Membership[];
  /** Grants that apply to this subject. */
  readonly grants: readonly string[];
  readonly required: { readonly groups: readonly Condition[]; readonly fresh: boolean } | undefined;
  readonly scopes: {
    readonly held: readonly string[];
    readonly assumed: boolean;
    readonly needed: readonly string[];
  };
  /** Where the groups come from, and how old that is. */
  readonly data: { readonly source: string; readonly asOf: string; readonly ageMs: number } | undefined;
}

interface Condition {
  readonly name: string;
  readonly met: boolean;
}

/** `mcp-auth explain`. */
export async function runExplain(argv: readonly string[], output: CliOutput): Promise<ExitCode> {
  const given = readArguments(argv, options);
  const document = await loadPolicy(need(given.get('policy'), '--policy'));
  const permission = need(given.get('permission'), '--permission');
  if (!document.permissions.includes(permission)) {
    throw new TypeError(
      `the policy has no permission ${permission}; it has ${document.permissions.join(', ')}`,
    );
  }
  const policy = createPolicy(document);
  const needed = policy.scopesFor([permission]);
  const scopes = given.get('scopes');
  const { subject, who, memberships, data } = await findSubject(given, output.now());
  const asked: PolicySubject = { ...subject, scopes: scopes?.split(/[\s,]+/).filter(Boolean) ?? needed };
  const permissions = policy.permissionsFor(asked);
  const decision = policy.decide({ ...asked, permissions }, permission, {
    signal: new AbortController().signal,
  });
  const rule = document.require?.[permission];
  const explanation: Explanation = {
    who,
    permission,
    decision,
    memberships,
    grants: grantsOf(document, subject, permission),
    required: rule && {
      groups: (rule.allGroups ?? []).map((name) => ({ name, met: subject.groups.includes(name) })),
      fresh: rule.fresh === true,
    },
    scopes: { held: asked.scopes ?? [], assumed: scopes === undefined, needed },
    data,
  };
  output.write(given.json ? `${JSON.stringify(explanation, undefined, 2)}\n` : textOf(explanation));
  return decision.allowed ? 0 : 1;
}

async function findSubject(given: ReturnType<typeof readArguments>, now: number) {
  const service = given.get('service');
  if (service !== undefined) {
    const issuer = given.get('issuer');
    const subject: PolicySubject = {
      kind: 'service',
      groups: [],
      clientId: service,
      ...(issuer !== undefined && { issuer }),
    };
    return { subject, who: `service ${service}`, memberships: [], data: undefined };
  }
  const user = need(given.get('user'), '--user or --service');
  const path = need(given.get('directory'), '--directory');
  const passwordFile = given.get('password-file');
  const found =
    passwordFile === undefined
      ? await readMemberships(path, user)
      : { who: user, memberships: await askLdapMemberships({ path, user, passwordFile }), asOf: now };
  const memberships = found.memberships ?? [];
  const subject: PolicySubject = { kind: 'user', groups: memberships.map(({ group }) => group) };
  const asOf = new Date(found.asOf).toISOString();
  return {
    subject,
    who: found.who,
    memberships,
    data: { source: path, asOf, ageMs: Math.round(now - found.asOf) },
  };
}

async function readMemberships(path: string, user: string) {
  const { users, membershipsOf, asOf } = await openGroupFile(path);
  const who = users.includes(user) ? user : onlyMatch(users, user);
  return { who, memberships: membershipsOf(who), asOf };
}

/** A subject without its issuer will do where it is the only one. */
function onlyMatch(users: readonly string[], subject: string): string {
  const found = users.filter((user) => user.endsWith(`#${subject}`));
  if (found.length > 1) throw new TypeError(`--user ${subject} is ambiguous: ${found.join(', ')}`);
  return found[0] ?? subject;
}

function grantsOf({ grants }: PolicyDocument, subject: PolicySubject, permission: string): readonly string[] {
  return grants.flatMap((grant) => {
    const pattern = grant.allow.find((entry) => covers(entry, permission));
    if (pattern === undefined) return [];
    if ('group' in grant) {
      return subject.groups.includes(grant.group) ? [`group ${grant.group}: ${pattern}`] : [];
    }
    const isIssuer = grant.issuer === undefined || grant.issuer === subject.issuer;
    return grant.service === subject.clientId && isIssuer ? [`service ${grant.service}: ${pattern}`] : [];
  });
}

function textOf({ who, permission, decision, ...rest }: Explanation): string {
  const rows: [string, string][] = [
    ['rule', decision.rule ?? (decision.allowed ? '' : 'no grant covers it')],
    ...(decision.allowed ? [] : [['reason', decision.reason] as [string, string]]),
    ...rowsOf('grants', rest.grants),
    ...rowsOf(
      'groups',
      rest.memberships.map(
        ({ group, via }) => `${group} (${via.length === 0 ? 'direct' : `via ${via.join(' > ')}`})`,
      ),
    ),
    ...rowsOf(
      'requires',
      (rest.required?.groups ?? []).map(({ name, met }) => `group ${name}: ${met ? 'yes' : 'NO'}`),
    ),
    ...(rest.required?.fresh === true
      ? [['requires', 'groups looked up at the time of the call'] as [string, string]]
      : []),
    [
      'scopes',
      `${rest.scopes.held.join(' ') || 'none'}${rest.scopes.assumed ? ' (assumed; give --scopes)' : ''}`,
    ],
    ['needs', `${rest.scopes.needed.join(' ')} (the smallest set of scopes)`],
    ...(rest.data === undefined
      ? []
      : [['data', `${rest.data.source}, ${age(rest.data.ageMs)} old`] as [string, string]]),
  ];
  const verdict = `${decision.allowed ? 'ALLOWED' : 'DENIED'}  ${permission} for ${who}`;
  return `${verdict}\n${rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}\n`).join('')}`;
}

function rowsOf(name: string, values: readonly string[]): [string, string][] {
  return (values.length === 0 ? ['none'] : values).map((value) => [name, value]);
}

function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1000))} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}
