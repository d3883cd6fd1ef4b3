import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createCollectorSink, openAuditTrail } from '@mcp-parts/audit';
import { expect, it, vi } from 'vitest';

import { startSandbox } from '../src/index.ts';

it('keeps every audit event while the collector is down and ships each once, in order, afterwards', async () => {
  await using sandbox = await startSandbox();
  const directory = await mkdtemp(join(tmpdir(), 'mcp-audit-outage-'));
  const token = () =>
    sandbox.issueServiceToken('mcp-server', {
      resource: sandbox.platformAudience,
      scopes: ['audit:write'],
    });
  const trail = await openAuditTrail({
    directory,
    server: { name: 'server', version: '1.0.0' },
    sinks: [createCollectorSink({ url: `${sandbox.urls.audit}/v1/events`, token })],
  });
  const acknowledged: string[] = [];

  /** Eight callers at once, some of whose events are shipped at once. */
  async function record(calls: number): Promise<void> {
    let next = 0;
    const caller = async () => {
      while (next < calls) {
        next += 1;
        const entry = await trail.begin({
          actor: { id: 'https://issuer.test#somebody', kind: 'user', groups: [] },
          action: 'tools/call',
          target: 'trigger_deployment',
          correlationId: String(next),
          transport: 'http',
          urgent: next % 10 === 0,
        });
        acknowledged.push(entry.id);
        await entry.finish({ result: 'success', durationMs: 1 });
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
  }

  await record(100);
  await sandbox.faults.set('audit', { kind: 'down' });
  await record(1_000);
  await vi.waitFor(() => expect(trail.health().state).toBe('degraded'), { timeout: 30_000 });
  await sandbox.faults.clear('audit');
  await record(100);
  await trail.flush();

  const shipped = sandbox.auditEvents().filter(({ stage }) => stage === 'intent' || stage === 'outcome');
  const sequences = shipped.map(({ sequence }) => sequence);
  expect(sequences).toEqual(Array.from({ length: 2 * acknowledged.length }, (_, index) => index + 1));
  const intents = shipped.filter(({ stage }) => stage === 'intent').map(({ id }) => id);
  expect(intents.toSorted()).toEqual(acknowledged.toSorted());
  await trail.close();
  await rm(directory, { recursive: true, force: true });
});
