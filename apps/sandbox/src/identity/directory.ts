import { writeFile } from 'node:fs/promises';

/** A person of the organisation, named after the role. */
export interface DirectoryUser {
  /** The `sub` of the user's tokens. */
  readonly subject: string;
  readonly email: string;
  readonly groups: readonly string[];
}

/** The users of the sandbox. Their groups are in the directory only, never in a token. */
export const users = [
  { subject: 'developer', email: 'developer@example.test', groups: ['developers'] },
  {
    subject: 'release-manager',
    email: 'release-manager@example.test',
    groups: ['developers', 'production-deployers'],
  },
  { subject: 'platform-owner', email: 'platform-owner@example.test', groups: ['platform-owners'] },
  { subject: 'viewer', email: 'viewer@example.test', groups: ['viewers'] },
] as const satisfies readonly DirectoryUser[];

/** Subject of a seeded user. */
export type SandboxUser = (typeof users)[number]['subject'];

export function findUser(subject: unknown): (typeof users)[number] | undefined {
  return users.find((user) => user.subject === subject);
}

/** Writes who is in which group, as the servers' file directory reads it. JSON values are YAML too. */
export async function writeDirectory(file: string, issuer: string): Promise<void> {
  const lines = users.map(
    ({ subject, groups }) =>
      `  ${JSON.stringify(`${issuer}#${subject}`)}: { groups: ${JSON.stringify(groups)} }`,
  );
  await writeFile(file, `version: 1\nusers:\n${lines.join('\n')}\n`);
}
