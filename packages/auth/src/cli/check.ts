import { covers } from '../policy/permission-pattern.ts';
import { loadPolicy } from '../policy/policy-document.ts';
import type { PolicyDocument } from '../policy/policy-document.ts';
import { createPolicy } from '../policy/policy.ts';
import { need, readArguments } from './arguments.ts';
import { openGroupFile } from './group-file.ts';
import type { GroupSource } from './group-file.ts';
import type { CliOutput, ExitCode } from './run-cli.ts';

/** `mcp-auth check`: what a start would refuse ends with 2, what is probably not meant with 1. */
export async function runCheck(argv: readonly string[], output: CliOutput): Promise<ExitCode> {
  const given = readArguments(argv, ['policy', 'directory']);
  const path = need(given.positionals[0] ?? given.get('policy'), 'a policy file');
  const document = await loadPolicy(path);
  createPolicy(document);
  const directory = given.get('directory');
  const findings = findingsOf(document, directory === undefined ? undefined : await openGroupFile(directory));
  const { permissions, groups, grants } = document;
  if (given.json) {
    const counts = { permissions: permissions.length, groups: groups.length, grants: grants.length };
    output.write(`${JSON.stringify({ policy: path, ...counts, findings }, undefined, 2)}\n`);
  } else {
    for (const finding of findings) output.write(`warning: ${finding}\n`);
    output.write(
      `${path}: valid; ${permissions.length} permissions, ${groups.length} groups, ${grants.length} grants, ${findings.length} warnings\n`,
    );
  }
  return findings.length === 0 ? 0 : 1;
}

function findingsOf(document: PolicyDocument, source: GroupSource | undefined): readonly string[] {
  const { permissions, groups, grants } = document;
  const findings: string[] = [];
  for (const permission of permissions) {
    if (!grants.some(({ allow }) => allow.some((pattern) => covers(pattern, permission)))) {
      findings.push(`nobody is granted ${permission}`);
    }
  }
  const required = new Set(Object.values(document.require ?? {}).flatMap((rule) => rule.allGroups ?? []));
  for (const group of groups) {
    const isGranted = grants.some((grant) => 'group' in grant && grant.group === group);
    if (!isGranted && !required.has(group)) findings.push(`the group ${group} is used nowhere`);
  }
  for (const grant of grants) {
    if (grant.allow.includes('*')) {
      findings.push(`${'group' in grant ? grant.group : grant.service} is granted everything ("*")`);
    }
  }
  if (source === undefined) return findings;
  const known = new Set(
    source.users.flatMap((user) => source.membershipsOf(user) ?? []).map(({ group }) => group),
  );
  for (const group of groups) {
    if (!known.has(group)) findings.push(`nobody in ${source.name} is in the group ${group}`);
  }
  return findings;
}
