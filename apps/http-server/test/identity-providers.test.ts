import { readFileSync } from 'node:fs';

import {
  authenticationSettings,
  checkAuthenticationSettings,
  checkHttpSettings,
  type SettingValues,
} from '@mcp-parts/server-kit';
import { describe, expect, it } from 'vitest';

import { settings } from '../src/configuration.ts';

const page = readFileSync(new URL('../../../docs/identity-providers.md', import.meta.url), 'utf8');

/** The variables of each block, by the heading over it. */
const blocks = page
  .split(/^## /mu)
  .flatMap((section) =>
    [...section.matchAll(/^```sh\n(?<lines>.*?)^```$/gmsu)].map(
      ({ groups }) => [section.split('\n', 1)[0] ?? '', variablesIn(groups?.['lines'] ?? '')] as const,
    ),
  );

function variablesIn(lines: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines
      .split('\n')
      .filter((line) => /^[A-Z]/u.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Every setting, from the variables or by its default; what is required and not about tokens is filled in. */
function valuesOf(variables: Readonly<Record<string, string>>): SettingValues<typeof settings> {
  const filled: Record<string, string> = {
    POLICY_FILE: '/policy.yaml',
    DIRECTORY_FILE: '/directory.yaml',
    ...variables,
  };
  const values = Object.entries(settings).map(([name, { schema }]) => {
    const read = schema.safeParse(
      filled[name] ?? (filled[`${name}_FILE`] === undefined ? undefined : 'a secret'),
    );
    const isOurs = name in authenticationSettings || name in filled;
    if (isOurs && !read.success && variables['AUTH_ISSUER'] !== undefined) {
      throw new Error(`${name}: ${read.error.message}`);
    }
    return [name, read.data] as const;
  });
  // Every name has just been given the output of its schema, or of none where the checks do not look.
  return Object.fromEntries(values) as SettingValues<typeof settings>;
}

describe('docs/identity-providers.md', () => {
  it('has variables for ten providers and more', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(10);
  });

  it.each(blocks)('%s: names settings that there are', (_, variables) => {
    const names = Object.keys(variables).map((name) => name.replace(/_FILE$/u, ''));
    expect(names.filter((name) => !(name in settings) && !(`${name}_FILE` in settings))).toEqual([]);
  });

  it.each(blocks.filter(([, variables]) => 'AUTH_ISSUER' in variables))(
    '%s: gives settings with which a server starts',
    (_, variables) => {
      expect(checkAuthenticationSettings(valuesOf(variables))).toEqual([]);
    },
  );

  it('shows a certificate header that counts', () => {
    const [, variables = {}] = blocks.find(([, block]) => 'CLIENT_CERTIFICATE_HEADER' in block) ?? [];
    const values = {
      ...valuesOf(variables),
      HOST: '127.0.0.1',
      READINESS_DELAY_MS: 0,
      TERMINATION_GRACE_MS: 30_000,
    };
    expect(checkHttpSettings(values)).toEqual([]);
  });

  it('lists every setting that is a rule for tokens', () => {
    const missing = Object.keys(authenticationSettings).filter(
      (name) => name.startsWith('AUTH_') && !page.includes(name),
    );
    expect(missing).toEqual([]);
  });
});
