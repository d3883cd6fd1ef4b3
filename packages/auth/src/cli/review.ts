import { loadPolicy } from '../policy/policy-document.ts';
import type { PolicyDocument } from '../policy/policy-document.ts';
import { createPolicy } from '../policy/policy.ts';
import type { Policy, PolicySubject } from '../policy/policy.ts';
import { need } from './arguments.ts';
import type { Command } from './command.ts';
import { csvLine } from './csv.ts';
import { openGroupFile } from './group-file.ts';

interface Holding {
  readonly principal: string;
  readonly kind: 'user' | 'service';
  /** Empty for somebody who may do nothing: a review wants to see them too. */
  readonly permission: string;
  readonly rule: string;
  readonly conditions: string;
}

/** `mcp-auth review`: who holds what, given a token with every scope. It lists and judges nothing. */
export const review: Command = {
  name: 'review',
  summary: "Lists everybody's permissions and the rule behind each, as CSV.",
  options: {
    policy: { value: '<file>', text: 'The policy' },
    directory: { value: '<file>', text: 'The directory file with the users' },
  },
  async run(given, { write }) {
    const document = await loadPolicy(need(given.get('policy'), '--policy'));
    const source = await openGroupFile(need(given.get('directory'), '--directory'));
    const users = source.users.map((id) => {
      const groups = (source.membershipsOf(id) ?? []).map(({ group }) => group);
      return { id, subject: { kind: 'user', groups } as const };
    });
    const policy = createPolicy(document);
    const holdings = [...users, ...servicesOf(document)].flatMap(({ id, subject }) =>
      holdingsOf({ document, policy, principal: id, subject }),
    );
    if (given.json) {
      write(`${JSON.stringify(holdings, undefined, 2)}\n`);
      return 0;
    }
    write(csvLine(['principal', 'kind', 'permission', 'rule', 'conditions']));
    for (const { principal, kind, permission, rule, conditions } of holdings) {
      write(csvLine([principal, kind, permission, rule, conditions]));
    }
    return 0;
  },
};

function servicesOf({ grants }: PolicyDocument): readonly { id: string; subject: PolicySubject }[] {
  const services = new Map<string, { id: string; subject: PolicySubject }>();
  for (const grant of grants) {
    if (!('service' in grant)) {
      continue;
    }
    const { service, issuer } = grant;
    const id = issuer === undefined ? service : `${issuer}#${service}`;
    services.set(id, { id, subject: { kind: 'service', groups: [], clientId: service, issuer } });
  }
  return [...services.values()];
}

function holdingsOf(asked: {
  readonly document: PolicyDocument;
  readonly policy: Policy;
  readonly principal: string;
  readonly subject: PolicySubject;
}): readonly Holding[] {
  const { document, policy, principal, subject } = asked;
  const { kind } = subject;
  const scopes = [...document.permissions, ...Object.keys(document.scopes ?? {})];
  const permissions = policy.permissionsFor({ ...subject, scopes });
  if (permissions.length === 0) {
    return [{ principal, kind, permission: '', rule: 'none', conditions: '' }];
  }
  const { signal } = new AbortController();
  return permissions.map((permission) => ({
    principal,
    kind,
    permission,
    rule: policy.decide({ ...subject, scopes, permissions }, permission, { signal }).rule ?? '',
    conditions: conditionsOf(document, permission, policy.scopesFor([permission])),
  }));
}

function conditionsOf(document: PolicyDocument, permission: string, scopes: readonly string[]): string {
  const rule = document.require?.[permission];
  return [
    ...(rule?.allGroups ?? []).map((group) => `in ${group}`),
    ...scopes.map((scope) => `scope ${scope}`),
    ...(rule?.fresh === true ? ['fresh groups'] : []),
  ].join('; ');
}
