import { defineTool } from '@mcp-parts/tool-kit';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createDefinitions } from '../src/definitions.ts';
import { harmless } from '../src/harmless.ts';
import { serveOpenly } from '../src/serve.ts';
import { silent } from './silent.ts';
import { complaints, passes, revisions, runSuite, type ScenarioResult } from './suite.ts';

/** What must pass so far, until it is all that a revision demands. */
const REACHED = {
  '2025-11-25': [
    'server-initialize',
    'ping',
    'logging-set-level',
    'tools-call-with-logging',
    'tools-call-with-progress',
    'completion-complete',
    'tools-list',
    'tools-call-simple-text',
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
    'tools-call-error',
    'server-sse-multiple-streams',
    'resources-list',
    'resources-read-text',
    'resources-read-binary',
    'resources-templates-read',
    'resources-subscribe',
    'resources-unsubscribe',
    'prompts-list',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
    'dns-rebinding-protection',
    'server-session-lifecycle',
  ],
  '2026-07-28': [
    'completion-complete',
    'tools-call-with-progress',
    'tools-list',
    'tools-call-simple-text',
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
    'tools-call-error',
    'server-sse-multiple-streams',
    'resources-list',
    'resources-read-text',
    'resources-read-binary',
    'resources-templates-read',
    'sep-2164-resource-not-found',
    'prompts-list',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
    'dns-rebinding-protection',
    'caching',
    'input-required-result-unsupported-methods',
    'http-header-validation',
    'http-custom-header-server-validation',
  ],
} as const;

/** A server that has nothing of what the suite looks for. */
const unrelated = {
  tools: [
    defineTool({
      ...harmless,
      name: 'say_hello',
      description: 'Says hello.',
      input: z.strictObject({}),
      handle: async () => 'Hello',
    }),
  ],
};

/** Scenarios that pass against it: of the protocol itself, with nothing to do for a tool, a resource or a prompt. */
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
    await using other = await serveOpenly(() => unrelated, { port: 0, logger: silent });
    ofUnrelated = await runSuite(other.url, revision);
  }, 120_000);

  it('passes with one of everything', () => {
    const failed = results.filter(
      (result) => (REACHED[revision] as readonly string[]).includes(result.scenario) && !passes(result),
    );
    expect(failed.flatMap(complaints)).toEqual([]);
    expect(results.map(({ scenario }) => scenario)).toEqual(expect.arrayContaining([...REACHED[revision]]));
  });

  it('finds every message valid against the schema of the revision', () => {
    const judged = results.flatMap(({ checks }) => checks.filter(({ id }) => id === 'wire-schema-valid'));
    expect(judged.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    expect(judged.length).toBeGreaterThan(25);
  });

  it('passes for no reason only where it asks for nothing of ours', () => {
    const passed = ofUnrelated.filter(passes).map(({ scenario }) => scenario);
    expect(new Set(passed)).toEqual(new Set<string>(ABOUT_ANY_SERVER[revision]));
  });
});
