import { createServer } from '@mcp-parts/tool-kit/sdk-2025';
import { expect, it } from 'vitest';

import { echoTable } from '../../test/mcp-requests.ts';

it('the SDK has the door that requests take', () => {
  const server = createServer(echoTable(), { serverInfo: { name: 'test', version: '1.0.0' } });
  expect(server).toHaveProperty('_onrequest', expect.any(Function));
});
