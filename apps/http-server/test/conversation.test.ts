import { startSandbox } from '@mcp-parts/sandbox';
import { auditOf, connectClient, mcpResource, textOf } from '@mcp-parts/sandbox/testing';
import { expect, it, vi } from 'vitest';

import { startServer, tokenFor } from './http-server.ts';

const target = { service: 'payment-service', version: '2.4.3', environment: 'production' };
const uri = 'deployment://config/payment-service/production';
const patiently = { timeout: 60_000, interval: 100 };

/** Ids are all the same id. */
const anyId = (line: string) => line.replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gu, 'ID');

// 2025-11-25 and 2026-07-28: one asks while the call waits, the other lets it be made again.
it.each(['sdk-1.x', 'sdk-2.x-pinned'] as const)(
  'tells the whole deployment from the question to its end, to the client of %s',
  { timeout: 120_000 },
  async (kind) => {
    await using sandbox = await startSandbox({ mcpResource });
    sandbox.setDeploymentWindow('production', { always: true });
    await using server = await startServer(sandbox);
    const token = await tokenFor(sandbox, 'release-manager');
    // What is said, by whom, in order.
    const said: string[] = [];
    await using client = await connectClient(kind, { url: server.url, token }, (message) => {
      said.push(`server ▶ asks the person: ${message}`, 'person ◀ yes');
      return { action: 'accept', content: { confirm: true } };
    });
    const say = (line: string) => void said.push(anyId(line));
    const calls = async (name: string, input: Record<string, unknown>) => {
      say(`model  ▶ ${name}`);
      const answer = await client.callTool(name, input);
      say(`server ◀ ${textOf(answer)}`);
      return answer;
    };

    say('person ▶ Bring payment-service 2.4.3 to production.');
    await calls('check_deployment_prerequisites', target);
    const { structuredContent } = await calls('trigger_deployment', target);
    const status = { taskId: structuredContent?.['taskId'] };
    await vi.waitFor(async () => {
      const { structuredContent: shown } = await client.callTool('check_deployment_status', status);
      const line = `status   ${String(shown?.['message'])}`;
      // Only what lasts until the server looks again: in between, a region may be seen half-way or not.
      if (/succeeded|is deployed/u.test(line) && !line.includes('%') && said.at(-1) !== line) {
        say(line);
      }
      expect(shown).toMatchObject({ state: 'completed' });
    }, patiently);
    say(`model  ▶ reads ${uri}`);
    const { version, regions } = (await client.readResource(uri)) as { version: string; regions: string[] };
    say(`server ◀ ${version} in ${regions.join(', ')}`);

    expect(said).toEqual([
      'person ▶ Bring payment-service 2.4.3 to production.',
      'model  ▶ check_deployment_prerequisites',
      'server ◀ Ready: payment-service 2.4.3 to production may be deployed. Passed: configuration, version, dependency ledger-service, dependency fraud-service, window.\nNext: Ask the person to confirm, then call trigger_deployment.',
      'model  ▶ trigger_deployment',
      'server ▶ asks the person: Deploy payment-service 2.4.3 to production (eu-central, us-east, ap-south), in place of 2.4.0?',
      'person ◀ yes',
      'server ◀ payment-service 2.4.3 to production is task ID, now queued.\nNext: Call check_deployment_status in 5 s, until it ends; do not start it again.',
      'status   eu-central succeeded, us-east pending, ap-south pending.',
      'status   eu-central succeeded, us-east succeeded, ap-south pending.',
      'status   payment-service 2.4.3 is deployed to production: eu-central, us-east, ap-south.',
      `model  ▶ reads ${uri}`,
      'server ◀ 2.4.3 in eu-central, us-east, ap-south',
    ]);
    await vi.waitFor(() => {
      const events = auditOf(sandbox, { target: 'trigger_deployment', result: 'success' });
      expect(events).toMatchObject([{ confirmationId: expect.any(String) }]);
    }, patiently);
  },
);
