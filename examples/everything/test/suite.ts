import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { parse } from 'yaml';
import { z } from 'zod';

/** The requirement sets of the official conformance suite, one for each protocol era. */
export const revisions = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof revisions)[number];

const checksSchema = z.array(
  z.object({
    id: z.string(),
    status: z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO']),
    errorMessage: z.string().optional(),
    details: z.unknown().optional(),
  }),
);

type Check = z.infer<typeof checksSchema>[number];

/** What became of one scenario. */
export interface ScenarioResult {
  readonly scenario: string;
  /** Whether the revision demands it. Extensions, and what was added to the suite later, run as well. */
  readonly scored: boolean;
  readonly checks: readonly Check[];
}

/** Nothing failed of what was checked, as the suite itself counts. */
export function passes({ checks }: ScenarioResult): boolean {
  return checks.length > 0 && !checks.some(({ status }) => status === 'FAILURE');
}

/** Something succeeded besides, other than that all messages fit their schema. */
export function passesForReal(result: ScenarioResult): boolean {
  return (
    passes(result) &&
    result.checks.some(({ id, status }) => status === 'SUCCESS' && id !== 'wire-schema-valid')
  );
}

/** A line for each check that did not succeed. */
export function complaints({ scenario, checks }: ScenarioResult): readonly string[] {
  return checks
    .filter(({ status }) => status === 'FAILURE' || status === 'WARNING' || status === 'SKIPPED')
    .map(({ id, status, errorMessage }) => `${scenario}: ${id}: ${status}: ${errorMessage ?? ''}`);
}

/** Runs all server scenarios of a revision against the server at a URL, in the order of the suite. */
export async function runSuite(url: string, revision: Revision): Promise<readonly ScenarioResult[]> {
  for (let attempt = 1; ; attempt += 1) {
    const results = await runSuiteOnce(url, revision);
    // A server on a busy machine asks to be left alone for a moment, and the suite does not know how.
    const isBusy = results.some((result) =>
      complaints(result).some((line) => line.includes('too much to do')),
    );
    if (!isBusy || attempt === 3) {
      return results;
    }
  }
}

async function runSuiteOnce(url: string, revision: Revision): Promise<readonly ScenarioResult[]> {
  const results = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const output = await runProgram([
      'server',
      '--url',
      url,
      '--requirements',
      revision,
      '--output-dir',
      results,
    ]);
    const folders = await readdir(results);
    if (folders.length === 0) {
      throw new Error(`the conformance suite did not run:\n${output}`);
    }
    const { scored, unscored } = await requirementsOf(revision);
    return await Promise.all(
      [...scored, ...unscored].map(async (scenario) => ({
        scenario,
        scored: scored.includes(scenario),
        checks: await readChecks(results, folders, scenario),
      })),
    );
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

const packageFolder = dirname(
  createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'),
);
const program = join(packageFolder, 'dist/index.js');

const requirementsSchema = z.object({
  server: z.array(z.string()),
  not_scored: z.array(z.object({ scenario: z.string(), leg: z.string() })),
});

async function requirementsOf(
  revision: Revision,
): Promise<{ readonly scored: readonly string[]; readonly unscored: readonly string[] }> {
  const file = join(packageFolder, 'requirements', `${revision}.yaml`);
  const { server, not_scored } = requirementsSchema.parse(parse(await readFile(file, 'utf8')));
  return {
    scored: server,
    unscored: not_scored.filter(({ leg }) => leg === 'server').map(({ scenario }) => scenario),
  };
}

/** The folder of a scenario is `server-NAME-TIME`; names begin with one another. */
async function readChecks(
  results: string,
  folders: readonly string[],
  scenario: string,
): Promise<readonly Check[]> {
  const folder = folders.find(
    (name) =>
      /^-\d{4}-\d{2}-\d{2}T[\d-]+Z$/u.test(name.slice(`server-${scenario}`.length)) &&
      name.startsWith(`server-${scenario}`),
  );
  if (folder === undefined) {
    return [];
  }
  const file = join(results, folder, 'checks.json');
  return checksSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

/** Its exit code only repeats what the checks say. */
function runProgram(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { timeout: 60_000, maxBuffer: 50_000_000 },
      (_error, stdout, stderr) => resolve(`${stdout}${stderr}`.slice(-2_000)),
    );
  });
}
