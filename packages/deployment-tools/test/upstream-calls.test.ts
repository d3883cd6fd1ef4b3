import type { AuditOutcome, AuditTrail } from '@mcp-parts/tool-kit';
import { expect, it } from 'vitest';

import { definitionsOf, mcpClient, paths, startPlatform, target } from './fake-platform.ts';
import { problem } from './fake-upstream.ts';

it('leaves every call to an upstream in the audit trail, with how it ended', async () => {
  await using platform = await startPlatform();
  platform.upstream.on(`GET ${paths.compatibility}`, problem(500, 'secret insides'));
  const outcomes: AuditOutcome[] = [];
  const audit: AuditTrail = {
    begin: () => Promise.resolve({ finish: async (outcome) => void outcomes.push(outcome) }),
  };
  const call = mcpClient(definitionsOf(platform), { audit });

  await call('tools/call', { name: 'check_deployment_prerequisites', arguments: target });
  await call('resources/read', { uri: 'deployment://config/payment-service/production' });

  const upstream = 'configuration service';
  const made = { upstream, attempts: 1, durationMs: expect.any(Number) };
  expect(outcomes.map(({ upstreamCalls }) => new Set(upstreamCalls))).toEqual([
    new Set([
      { ...made, endpoint: 'configuration.get_configuration', outcome: 'ok' },
      { ...made, endpoint: 'configuration.get_compatibility', outcome: 'server_error' },
      { ...made, endpoint: 'configuration.get_dependencies', outcome: 'ok' },
      { ...made, endpoint: 'configuration.get_health', outcome: 'ok' },
      { ...made, endpoint: 'configuration.get_health', outcome: 'ok' },
      { ...made, endpoint: 'configuration.get_deployment_window', outcome: 'not_found' },
    ]),
    new Set([{ ...made, endpoint: 'configuration.get_configuration', outcome: 'ok' }]),
  ]);
});
