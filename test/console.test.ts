import { expect, it } from 'vitest';

import * as assets from '../packages/server-kit/src/console/assets.ts';
import { consoleAssets } from '../scripts/console.ts';

it("has the operator's page as its sources make it; `pnpm console` bundles it", async () => {
  expect({ ...assets }).toEqual(await consoleAssets());
});
