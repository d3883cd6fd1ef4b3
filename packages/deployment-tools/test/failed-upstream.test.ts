import { expect, it } from 'vitest';

import { definitionsOf, mcpClient, startPlatform } from './fake-platform.ts';
import { problem } from './fake-upstream.ts';

it('tells a model what the client says of a failure, when a handler merely throws it', async () => {
  await using platform = await startPlatform();
  platform.upstream.on('GET /v1/services', problem(503, 'secret insides'));
  const call = mcpClient(definitionsOf(platform));

  const result = await call('tools/call', { name: 'list_services', arguments: {} });

  expect(result).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/^The configuration service failed\. Try again in 30 s/) }],
  });
  expect(JSON.stringify(result)).not.toMatch(/internal|secret insides/);
});
