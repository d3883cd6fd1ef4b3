import { beforeAll, describe, expect, it } from 'vitest';

import { createDefinitions } from '../src/definitions.ts';
import { serveOpenly } from '../src/serve.ts';
import { silent } from './silent.ts';
import { complaints, passesForReal, revisions, runSuite, type ScenarioResult } from './suite.ts';
import { createUnrelated } from './unrelated.ts';

/** Of what a revision does not demand, or not yet, what passes as well. */
const BEYOND = {
  '2025-11-25': ['server-session-lifecycle'],
  '2026-07-28': [
    'http-header-validation',
    'http-custom-header-server-validation',
    'tasks-lifecycle',
    'tasks-capability-negotiation',
    'tasks-wire-fields',
    'tasks-request-state-removal',
    'tasks-mrtr-input',
    'tasks-request-headers',
    'tasks-dispatch-and-envelope',
    'tasks-required-task-error',
    'tasks-mrtr-composition',
  ],
} as const;

/** Checks of what should be, and is not, for a reason. */
const ON_PURPOSE = {
  '2025-11-25': [],
  // It answers a question that was never put. An answer counts for a question as it was put, so it is put now.
  '2026-07-28': ['input-required-result-ignore-extra-params: sep-2322-ignore-unexpected-params: WARNING'],
} as const;

/** Scenarios that pass against a server that has nothing of what they look for: of the protocol itself, with nothing to do for a tool, a resource or a prompt. */
const ABOUT_ANY_SERVER = {
  '2025-11-25': [
    'server-initialize',
    'ping',
    'logging-set-level',
    'tools-list',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
    'server-session-lifecycle',
  ],
  '2026-07-28': [
    'tools-list',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
    'http-header-validation',
    'sep-2164-resource-not-found',
    'input-required-result-unsupported-methods',
    'input-required-result-validate-input',
  ],
} as const;

describe.each(revisions)('the conformance suite of %s', (revision) => {
  let results: readonly ScenarioResult[];
  let ofUnrelated: readonly ScenarioResult[];

  beforeAll(async () => {
    await using server = await serveOpenly(createDefinitions, { port: 0, logger: silent });
    results = await runSuite(server.url, revision);
    await using other = await serveOpenly(createUnrelated, { port: 0, logger: silent });
    ofUnrelated = await runSuite(other.url, revision);
  }, 120_000);

  it('passes in every scenario that the revision demands, and leaves no check out', () => {
    const scored = results.filter((result) => result.scored);
    const complained = scored.flatMap(complaints);
    const unexpected = complained.filter(
      (line) => !ON_PURPOSE[revision].some((known) => line.startsWith(known)),
    );
    expect(unexpected).toEqual([]);
    expect(complained).toHaveLength(ON_PURPOSE[revision].length);
    expect(scored).toHaveLength(revision === '2025-11-25' ? 30 : 37);
    expect(scored.filter(({ checks }) => checks.length === 0)).toEqual([]);
  });

  it('passes beyond what it demands', () => {
    const passed = results.filter((result) => !result.scored && passesForReal(result));
    expect(passed.map(({ scenario }) => scenario)).toEqual(expect.arrayContaining([...BEYOND[revision]]));
  });

  it('finds every message valid against the schema of the revision', () => {
    const judged = results.flatMap(({ checks }) => checks.filter(({ id }) => id === 'wire-schema-valid'));
    expect(judged.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    expect(judged.length).toBeGreaterThan(25);
  });

  it('passes for no reason only where it asks for nothing of ours', () => {
    const passed = ofUnrelated.filter(passesForReal).map(({ scenario }) => scenario);
    expect(new Set(passed)).toEqual(new Set<string>(ABOUT_ANY_SERVER[revision]));
  });
});
