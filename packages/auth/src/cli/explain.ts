import { covers } from '../policy/permission-pattern.ts';
import { loadPolicy } from '../policy/policy-document.ts';
import type { PolicyDocument } from '../policy/policy-document.ts';
import { createPolicy } from '../policy/policy.ts';
import type { PolicySubject } from '../policy/policy.ts';
import { need } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { explanationText } from './explanation.ts';
import type { Explanation } from './explanation.ts';
import { openGroupFile } from './group-file.ts';
import { askLdapMemberships } from './ldap-memberships.ts';

/** `mcp-auth explain`. */
export const explain: Command = {
  name: 'explain',
  summary: 'Says why a user or a service is allowed or denied a permission.',
  options: {
    policy: { value: '<file>', text: 'The policy' },
    permission: { value: '<name>', text: 'The permission that is asked about' },
    directory: { value: '<file>', text: 'The directory file; needed with --user' },
    user: { value: '<issuer#subject>', text: 'The user; the subject alone where it is the only one' },
    service: { value: '<client id>', text: 'The service, instead of --user' },
    issuer: { value: '<url>', text: 'The issuer of the service' },
    scopes: { value: '<a,b>', text: "The token's scopes; without it, all that are needed" },
    'password-file': {
      value: '<file>',
      text: 'The password for a directory file that names an LDAP directory',
    },
  },
  found: 'it is denied',
  async run(given, { write, now }) {
    const document = await loadPolicy(need(given.get('policy'), '--policy'));
    const permission = need(given.get('permission'), '--permission');
    if (!document.permissions.includes(permission)) {
      throw new TypeError(
        `the policy has no permission ${permission}; it has ${document.permissions.join(', ')}`,
      );
    }
    const explanation = await explanationOf(given, { document, permission, now: now() });
    write(given.json ? `${JSON.stringify(explanation, undefined, 2)}\n` : explanationText(explanation));
    return explanation.decision.allowed ? 0 : 1;
  },
};

async function explanationOf(
  given: Arguments,
  asked: { readonly document: PolicyDocument; readonly permission: string; readonly now: number },
): Promise<Explanation> {
  const { document, permission } = asked;
  const policy = createPolicy(document);
  const needed = policy.scopesFor([permission]);
  const scopes = given.get('scopes');
  const held = scopes?.split(/[\s,]+/).filter(Boolean) ?? needed;
  const { subject, who, memberships, data } = await findSubject(given, asked.now);
  const caller = {
    ...subject,
    scopes: held,
    permissions: policy.permissionsFor({ ...subject, scopes: held }),
  };
  const rule = document.require?.[permission];
  return {
    who,
    permission,
    decision: policy.decide(caller, permission, { signal: new AbortController().signal }),
    memberships,
    grants: grantsOf(document, subject, permission),
    required: rule && {
      groups: (rule.allGroups ?? []).map((name) => ({ name, met: subject.groups.includes(name) })),
      fresh: rule.fresh === true,
    },
    scopes: { held, assumed: scopes === undefined, needed },
    data,
  };
}

async function findSubject(given: Arguments, now: number) {
  const service = given.get('service');
  if (service !== undefined) {
    const issuer = given.get('issuer');
    const subject: PolicySubject = { kind: 'service', groups: [], clientId: service, issuer };
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
  if (found.length > 1) {
    throw new TypeError(`--user ${subject} is ambiguous: ${found.join(', ')}`);
  }
  return found[0] ?? subject;
}

function grantsOf({ grants }: PolicyDocument, subject: PolicySubject, permission: string): readonly string[] {
  return grants.flatMap((grant) => {
    const pattern = grant.allow.find((entry) => covers(entry, permission));
    if (pattern === undefined) {
      return [];
    }
    if ('group' in grant) {
      return subject.groups.includes(grant.group) ? [`group ${grant.group}: ${pattern}`] : [];
    }
    const isIssuer = grant.issuer === undefined || grant.issuer === subject.issuer;
    return grant.service === subject.clientId && isIssuer ? [`service ${grant.service}: ${pattern}`] : [];
  });
}
