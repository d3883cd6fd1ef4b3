import { expect, it } from 'vitest';

import { deploymentToolsets } from '../src/index.ts';
import { definitionsOf, startPlatform } from './fake-platform.ts';

it('names every toolset, and puts every definition in one', async () => {
  await using platform = await startPlatform();
  const { tools = [], resources = [], prompts = [] } = definitionsOf(platform);
  const used = [...tools, ...resources, ...prompts].map(({ toolset }) => toolset);
  expect(new Set(used)).toEqual(new Set(deploymentToolsets));
});
