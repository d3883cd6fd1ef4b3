import { loadPolicy } from '../policy/policy-document.ts';
import type { PolicyDocument } from '../policy/policy-document.ts';
import { createPolicy } from '../policy/policy.ts';
import type { PolicySubject } from '../policy/policy.ts';
import { need, readArguments } from './arguments.ts';
import { csvLine } from './csv.ts';
import { openGroupFile } from './group-file.ts';
import type { CliOutput, ExitCode } from './run-cli.ts';

interface Holding {
  readonly principal: string;
  readonly kind: 'user' | 'service';
  /** Empty for somebody who may do nothing: a review wants to see them too. */
  readonly permission: string;
  readonly rule: string;
  readonly conditions: string;
}

/** `mcp-auth review`: who holds what, given a token with every scope. */
export async function runReview(argv: readonly string[], output: CliOutput): Promise<ExitCode> {
  const given = readArguments(argv, ['policy', 'directory']);
  const document = await loadPolicy(need(given.get('policy'), '--policy'));
  const source = await openGroupFile(need(given.get('directory'), '--directory'));
  const users = source.users.map((id) => {
    const groups = (source.membershipsOf(id) ?? []).map(({ group }) => group);
    return { id, subject: { kind: 'user', groups } as const };
  });
  const holdings = [...users, ...servicesOf(document)].flatMap(({ id, subject }) =>
    holdingsOf(document, id, subject),
  );
  if (given.json) {
    output.write(`${JSON.stringify(holdings, undefined, 2)}\n`);
    return 0;
  }
  output.write(csvLine(['principal', 'kind', 'permission', 'rule', 'conditions']));
  for (const { principal, kind, permission, rule, conditions } of holdings) {
    output.write(csvLine([principal, kind, permission, rule, conditions]));
  }
  return 0;
}

function servicesOf({ grants }: PolicyDocument): readonly { id: string; subject: PolicySubject }[] {
  const services = new Map<string, { id: string; subject: PolicySubject }>();
  for (const grant of grants) {
    if (!('service' in grant)) continue;
    const { service, issuer } = grant;
    const id = issuer === undefined ? service : `${issuer}#${service}`;
    const subject = { kind: 'service', groups: [], clientId: service, ...(issuer && { issuer }) } as const;
    services.set(id, { id, subject });
  }
  return [...services.values()];
}

function holdingsOf(document: PolicyDocument, principal: string, subject: PolicySubject): readonly Holding[] {
  const policy = createPolicy(document);
  const { kind } = subject;
  const scopes = [...document.permissions, ...Object.keys(document.scopes ?? {})];
  const permissions = policy.permissionsFor({ ...subject, scopes });
  if (permissions.length === 0) return [{ principal, kind, permission: '', rule: 'none', conditions: '' }];
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
