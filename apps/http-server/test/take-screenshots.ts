/**
 * `pnpm screenshots`: takes the pictures of `docs/console.md`, of a server that has had some work and whose backend for
 * configuration has just failed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { findService } from '@mcp-parts/test-services';

import { createConsoleWorld, operatorToken, startBrowser, type ConsoleWorld } from './console-world.ts';

const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const BUSY_MS = 60_000;
const target = { service: 'pricing-service', version: '4.4.0', environment: 'staging' };

async function work(world: ConsoleWorld, share: number): Promise<void> {
  const wave = 1 + Math.round(2 + 2 * Math.sin(share * 9));
  for (let call = 0; call < wave; call += 1) {
    await world.call('list_services');
  }
  if (Math.random() < 0.5) {
    await world.call('check_deployment_prerequisites', target);
  }
  if (Math.random() < 0.08) {
    await world.call('trigger_deployment', { ...target, environment: 'production' });
  }
  if (Math.random() < 0.05) {
    await world.call('no_such_tool');
  }
}

const chromium = findService({ program: 'chromium', debianPackage: 'chromium' });
if (chromium === undefined) {
  process.exitCode = 1;
} else {
  await using world = await createConsoleWorld({}, { deploymentStepMs: 3_000 });
  const browser = await startBrowser(chromium);
  try {
    const page = await browser.newPage({ viewport: { width: 1360, height: 1400 } });
    await page.goto(`${world.url}/console`);
    await page.getByLabel('Token').fill(operatorToken);
    await page.keyboard.press('Enter');
    await page.locator('#status').getByText('Ready').waitFor();
    await world.call('trigger_deployment', target);
    const startedAt = Date.now();
    let isBroken = false;
    for (let share = 0; share < 1; share = (Date.now() - startedAt) / BUSY_MS) {
      if (share > 0.85 && !isBroken) {
        isBroken = true;
        await world.call('trigger_deployment', { ...target, service: 'payment-service', version: '2.5.0' });
        await page.locator('#tasks-running').getByText('pending').waitFor();
        await world.breakBackend();
      }
      await work(world, share);
      await sleep(300);
    }
    await page.locator('#status').getByText('Degraded').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}console-${colorScheme}.png` });
    }
  } finally {
    await browser.close();
  }
}
