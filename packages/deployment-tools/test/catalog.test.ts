import { checkCatalog, createCatalog } from '@mcp-parts/tool-kit';
import { expect, it } from 'vitest';

import { deploymentInstructions } from '../src/index.ts';
import { definitionsOf, startPlatform } from './fake-platform.ts';

it('offers nothing that clients in use stumble over', async () => {
  await using platform = await startPlatform();
  const catalog = createCatalog(definitionsOf(platform));
  expect(checkCatalog(catalog, { instructions: deploymentInstructions })).toEqual([]);
});
