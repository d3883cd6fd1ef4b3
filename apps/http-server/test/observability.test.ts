import { spawnSync } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { startSandbox } from '@mcp-parts/sandbox';
import { mcpResource } from '@mcp-parts/sandbox/testing';
import { findService } from '@mcp-parts/test-services';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { startServer, tokenFor } from './http-server.ts';
import { initialize, modernCall, rpcHeaders, send } from './raw-request.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const rulesFile = join(root, 'deploy/prometheus/rules.yaml');
const ruleTests = ['rules.test.yaml', 'rules.days.test.yaml'].map((name) =>
  join(root, 'deploy/prometheus', name),
);
const runbooks = 'https://github.com/mcp-parts/mcp-parts/blob/main/docs/runbooks/';

const rule = z.union([
  z.object({ record: z.string(), expr: z.string() }),
  z.object({
    alert: z.string(),
    expr: z.string(),
    labels: z.object({ severity: z.enum(['page', 'ticket']) }),
    annotations: z.object({ summary: z.string(), runbook_url: z.string().startsWith(runbooks) }),
  }),
]);
const rules = z
  .object({ groups: z.array(z.object({ rules: z.array(rule) })) })
  .parse(parse(await readFile(rulesFile, 'utf8')))
  .groups.flatMap((group) => group.rules);
const alerts = rules.filter((one) => 'alert' in one);
const recorded = rules.flatMap((one) => ('record' in one ? [one.record] : []));

const dashboard = z
  .object({
    panels: z.array(
      z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) }),
    ),
  })
  .parse(JSON.parse(await readFile(join(root, 'deploy/grafana/dashboard.json'), 'utf8')));
const panels = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

const promtool = findService({ program: 'promtool', debianPackage: 'prometheus' });

/** What a server of this app tells after a day's worth of everything, in a few seconds. */
let scrape = '';
beforeAll(async () => {
  const sandbox = await startSandbox({ mcpResource });
  try {
    await using server = await startServer(sandbox);
    const token = await tokenFor(sandbox, 'developer');
    const call = (tool: string, input: object) => send(server.url, modernCall(token, tool, input));
    await call('list_services', {});
    await call('no_such_tool', {});
    await send(server.url, { method: 'POST' });
    await send(server.url, { method: 'POST', headers: rpcHeaders('no.such.token') });
    const opened = await send(server.url, { method: 'POST', headers: rpcHeaders(token), body: initialize });
    const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    await send(server.url, { method: 'DELETE', headers: rpcHeaders(token, session) });
    await call('trigger_deployment', {
      service: 'pricing-service',
      version: '4.4.0',
      environment: 'staging',
    });
    await sandbox.faults.set('configuration', { kind: 'status', status: 503 });
    for (let i = 0; i < 6; i++) {
      await call('list_services', {});
    }
    // Probes and the look at the tasks run beside a scrape, so that the next one has what they found.
    for (;;) {
      scrape = (await send(`${server.origin}/metrics`)).text;
      const isSeen = (text: string) => scrape.includes(text);
      if (['mcp_server_check{check="configuration"} 0', 'mcp_tasks{', 'mcp_task_duration_'].every(isSeen)) {
        break;
      }
      await wait(200);
    }
  } finally {
    await sandbox.close();
  }
}, 60_000);

/** Names of series in an expression: what is followed by labels, by a range, or by nothing that makes it a function. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/gu, '""')
    .replaceAll(/\{[^}]*\}/gu, '')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/gu, '')
    .replaceAll(/\[[^\]]*\]/gu, '');
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w|\s*\()/gu)]
    .map(([name]) => name)
    .filter((name) => !/^(?:and|or|unless|bool|by)$/u.test(name) && name.includes('_'));
}

/** What a scrape has only when something else happened than in that run. */
const rare = new Set(['mcp_audit_disk_time_left_seconds']);

function unknownMetrics(expr: string): string[] {
  return metricsIn(expr).filter(
    (name) =>
      !rare.has(name) && !recorded.includes(name) && !new RegExp(`^${name}(?:\\{| )`, 'mu').test(scrape),
  );
}

describe('the metrics', () => {
  it.each([
    [
      'the duration of a session',
      'mcp_server_session_duration_seconds_count{mcp_protocol_version="2025-11-25"',
    ],
    ['a request without a token', 'mcp_parts_server_refusals_total{error_type="missing_token"} 1'],
    ['a request with a bad one', 'mcp_parts_server_refusals_total{error_type="invalid_token"} 1'],
    ['which build it is', 'target_info{service_name="mcp-deployments-http",service_version="'],
  ])('tell %s', (_, series) => {
    expect(scrape).toContain(series);
  });
});

describe('the alerts', () => {
  it.each(rules.map((one) => ['alert' in one ? one.alert : one.record, one.expr] as const))(
    '%s asks for what a server tells',
    (_, expr) => {
      expect(unknownMetrics(expr)).toEqual([]);
    },
  );

  it.each(alerts.map(({ alert, annotations }) => [alert, annotations.runbook_url] as const))(
    '%s has a runbook that names it',
    async (alert, url) => {
      const page = join(root, 'docs/runbooks', url.slice(runbooks.length));
      await access(page);
      expect(await readFile(page, 'utf8')).toContain(`\`${alert}\``);
      expect(await readFile(join(root, 'docs/runbooks/README.md'), 'utf8')).toContain(`\`${alert}\``);
    },
  );

  it('are each tested: when they fire, and when they do not', async () => {
    const cases = z
      .object({
        tests: z.array(
          z.object({
            alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
          }),
        ),
      })
      .array()
      .parse(await Promise.all(ruleTests.map(async (file) => parse(await readFile(file, 'utf8')))))
      .flatMap(({ tests }) => tests.flatMap((one) => one.alert_rule_test));
    const missing = alerts
      .map(({ alert }) => alert)
      .filter((alert) => {
        const own = cases.filter(({ alertname }) => alertname === alert);
        return (
          !own.some((one) => one.exp_alerts.length > 0) || !own.some((one) => one.exp_alerts.length === 0)
        );
      });
    expect(missing).toEqual([]);
  });
});

describe('the dashboard', () => {
  it.each(panels.map(({ title, expr }) => [title, expr] as const))('%s: %s', (_, expr) => {
    expect(unknownMetrics(expr)).toEqual([]);
  });
});

describe.skipIf(promtool === undefined)('promtool', () => {
  const run = (args: readonly string[], input = '') => {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { input, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  };

  it('passes the tests of the alerts', () => {
    const { status, output } = run(['test', 'rules', ...ruleTests]);
    expect(output).toMatch(/SUCCESS[\s\S]*SUCCESS/u);
    expect(status).toBe(0);
  }, 60_000);

  it('finds nothing to say about the metrics of a run', () => {
    expect(run(['check', 'metrics'], scrape)).toEqual({ status: 0, output: '' });
  });

  it('reads every query of the dashboard', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mcp-dashboard-'));
    const file = join(directory, 'dashboard.yaml');
    const queries = panels.map(({ expr }, index) => ({ record: `panel:${index}`, expr }));
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: queries }] }));
    try {
      expect(run(['check', 'rules', file])).toMatchObject({ status: 0 });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
