import { DocumentError } from '../document-file.ts';
import { covers } from '../policy/permission-pattern.ts';
import { loadPolicy } from '../policy/policy-document.ts';
import type { PolicyDocument } from '../policy/policy-document.ts';
import { need } from './arguments.ts';
import type { Command } from './command.ts';
import { openGroupFile } from './group-file.ts';
import type { GroupSource } from './group-file.ts';

/** `mcp-auth check`: problems stop a start, findings are probably not meant. Either ends with 1. */
export const check: Command = {
  name: 'check',
  parameter: '<policy>',
  summary: 'Checks a policy, and whether the groups of a directory fit it.',
  options: { directory: { value: '<file>', text: 'A directory file with the groups that there are' } },
  found: 'a policy or directory that does not start, or something that is probably not meant',
  async run(given, { write }) {
    const path = need(given.positionals[0], 'a policy file');
    const { problems, findings, counts } = await examine(path, given.get('directory'));
    if (given.json) {
      write(`${JSON.stringify({ policy: path, ...counts, problems, findings }, undefined, 2)}\n`);
    } else {
      for (const problem of problems) {
        write(`error: ${problem}\n`);
      }
      for (const finding of findings) {
        write(`warning: ${finding}\n`);
      }
      const { permissions, groups, grants } = counts ?? {};
      write(
        problems.length > 0
          ? `${path}: not valid; ${problems.length} errors\n`
          : `${path}: valid; ${permissions} permissions, ${groups} groups, ${grants} grants, ${findings.length} warnings\n`,
      );
    }
    return problems.length + findings.length === 0 ? 0 : 1;
  },
};

interface Examination {
  /** What a start would refuse. */
  readonly problems: readonly string[];
  readonly findings: readonly string[];
  /** @default the policy cannot be read */
  readonly counts?:
    | { readonly permissions: number; readonly groups: number; readonly grants: number }
    | undefined;
}

async function examine(path: string, directory: string | undefined): Promise<Examination> {
  try {
    const document = await loadPolicy(path);
    const source = directory === undefined ? undefined : await openGroupFile(directory);
    const { permissions, groups, grants } = document;
    const counts = { permissions: permissions.length, groups: groups.length, grants: grants.length };
    return { problems: [], findings: findingsOf(document, source), counts };
  } catch (error) {
    if (error instanceof DocumentError) {
      return { problems: error.problems, findings: [] };
    }
    throw error;
  }
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
    if (!isGranted && !required.has(group)) {
      findings.push(`the group ${group} is used nowhere`);
    }
  }
  for (const grant of grants) {
    if (grant.allow.includes('*')) {
      findings.push(`${'group' in grant ? grant.group : grant.service} is granted everything ("*")`);
    }
  }
  if (source === undefined) {
    return findings;
  }
  const known = new Set(
    source.users.flatMap((user) => source.membershipsOf(user) ?? []).map(({ group }) => group),
  );
  for (const group of groups) {
    if (!known.has(group)) {
      findings.push(`nobody in ${source.name} is in the group ${group}`);
    }
  }
  return findings;
}
