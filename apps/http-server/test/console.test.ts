import { findService } from '@mcp-parts/test-services';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { createConsoleWorld, operatorToken, startBrowser, type ConsoleWorld } from './console-world.ts';
import { send } from './raw-request.ts';

const chromium = findService({ program: 'chromium', debianPackage: 'chromium' });
const deployment = { service: 'pricing-service', version: '4.4.0', environment: 'staging' };
const bearer = { authorization: `Bearer ${operatorToken}` };

describe.concurrent("the operator's page", { timeout: 60_000 }, () => {
  it('is not there without a token, on a port that is open to a network', async () => {
    await using world = await createConsoleWorld({ OPERATOR_HOST: '0.0.0.0', OPERATOR_TOKEN: '' });
    const url = `http://127.0.0.1:${new URL(world.url).port}`;
    expect((await send(`${url}/console`)).status).toBe(404);
    expect((await send(`${url}/console/state`)).status).toBe(404);
    expect((await send(`${url}/metrics`)).status).toBe(200);
  });

  it('needs no token on loopback, and is not on the service port beside it', async () => {
    await using world = await createConsoleWorld({ OPERATOR_TOKEN: '' });
    expect((await send(`${world.url}/console`)).status).toBe(200);
    expect((await send(`${world.server.origin}/console`)).status).toBe(404);
    expect((await send(`${world.server.origin}/console/state`)).status).toBe(404);
  });

  it('is not on a loopback port that a proxy publishes', async () => {
    await using world = await createConsoleWorld({
      OPERATOR_TOKEN: '',
      OPERATOR_PORT: '',
      ALLOWED_HOSTS: '127.0.0.1',
    });
    expect((await send(`${world.server.origin}/console`)).status).toBe(404);
  });

  it('shows nothing to who does not know the token', async () => {
    await using world = await createConsoleWorld();
    const { url } = world;
    for (const headers of [
      {},
      { authorization: 'Bearer no' },
      { authorization: `Bearer ${operatorToken}x` },
      { cookie: 'mcp-operator=9999999999999.x' },
    ]) {
      expect((await send(`${url}/console/state`, { headers })).status).toBe(401);
      const page = await send(`${url}/console`, { headers });
      expect(page.status).toBe(401);
      expect(page.text).not.toContain('console.js');
    }
    const wrong = await send(`${url}/console/sign-in`, { method: 'POST', body: 'token=wrong' });
    expect(wrong.status).toBe(401);
    expect(wrong.headers['set-cookie']).toBeUndefined();
  });

  it('gives a cookie that no script reads and no other site sends', async () => {
    await using world = await createConsoleWorld();
    const { url } = world;
    const { status, headers } = await send(`${url}/console/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ token: operatorToken }).toString(),
    });
    expect(status).toBe(303);
    const cookie = String(headers['set-cookie']);
    expect(cookie).toMatch(/; Path=\/console; HttpOnly; SameSite=Strict$/u);
    const [pair = ''] = cookie.split(';');
    expect((await send(`${url}/console/state`, { headers: { cookie: pair } })).status).toBe(200);
    const longer = pair.replace(/=\d+/u, (endsAt) => `${endsAt}0`);
    expect((await send(`${url}/console/state`, { headers: { cookie: longer } })).status).toBe(401);
  });

  it('shows who did what without what they passed', async () => {
    await using world = await createConsoleWorld();
    await world.call('trigger_deployment', deployment);
    await world.call('list_services');
    const { text } = await send(`${world.url}/console/state`, { headers: bearer });
    const { recent } = JSON.parse(text) as { recent: { chain: string; events: readonly object[] } };
    expect(recent.chain).toBe('linked');
    expect(recent.events).toContainEqual(
      expect.objectContaining({ target: 'list_services', stage: 'outcome', result: 'success' }),
    );
    expect(text).not.toContain('4.4.0');
    expect(text).not.toContain('argument');
  });

  it('shows what runs without whose it is or what they passed', async () => {
    await using world = await createConsoleWorld({}, { deploymentStepMs: 60_000 });
    await world.call('trigger_deployment', deployment);
    const running = async () => {
      const { text } = await send(`${world.url}/console/state`, { headers: bearer });
      return (JSON.parse(text) as { tasks: readonly object[] }).tasks;
    };
    const shown = await vi.waitFor(
      async () => {
        const tasks = await running();
        expect(tasks).toMatchObject([{ message: expect.stringContaining('pending') }]);
        return tasks;
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(shown).toEqual([
      {
        tool: 'trigger_deployment',
        state: 'running',
        attempt: 1,
        percent: expect.any(Number),
        message: expect.any(String),
        ageMs: expect.any(Number),
        silenceMs: expect.any(Number),
      },
    ]);
    expect(JSON.stringify(shown)).not.toMatch(/4\.4\.0|pricing-service|developer/u);
  });

  it('only reads, and lets no page frame it or run script of its own', async () => {
    await using world = await createConsoleWorld();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      expect((await send(`${world.url}/console/state`, { method, headers: bearer })).status).toBe(404);
    }
    const { headers } = await send(`${world.url}/console`, { headers: bearer });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/u);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });
});

describe.skipIf(chromium === undefined)("the operator's page in a browser", { timeout: 60_000 }, () => {
  let world: ConsoleWorld;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    world = await createConsoleWorld({}, { deploymentStepMs: 1_500 });
    browser = await startBrowser(chromium ?? '');
    page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) {
        problems.push(message.text());
      }
    });
    await world.call('list_services');
    await page.goto(`${world.url}/console`);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  const part = (id: string) => page.locator(`#${id}`);

  it('lets an operator in by keyboard', async () => {
    await page.keyboard.type('not the token of this server at all');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('That is not the token').waitFor();
    await page.keyboard.type(operatorToken);
    await page.keyboard.press('Enter');
    await part('status').getByText('Ready').waitFor();
    expect(await page.title()).toBe('Ready · mcp-deployments-http');
  });

  it('shows tools, backends, facts and audit events', async () => {
    await part('tools')
      .getByRole('row', { name: /^list_services/u })
      .waitFor();
    await part('upstreams')
      .getByRole('row', { name: /^configuration service.* closed$/u })
      .waitFor();
    await part('checks').getByRole('row', { name: 'audit ok' }).waitFor();
    await part('facts')
      .getByRole('row', { name: /^policy .* ok$/u })
      .waitFor();
    await part('trail').getByText('chain linked').waitFor();
    await part('events')
      .getByRole('row', { name: /list_services.*success/u })
      .waitFor();
    expect(await part('events').getByRole('row').count()).toBeGreaterThan(1);
  });

  it('follows a deployment from its start to its end', async () => {
    const row = (progress: RegExp) =>
      part('tasks-running').getByRole('row', {
        name: new RegExp(`^trigger_deployment running 1 .* ago ${progress.source}`, 'u'),
      });
    await part('tasks-running').getByText('No task is running.').waitFor();
    await world.call('trigger_deployment', deployment);
    await row(/[1-9]\d*% .*\d %/u).waitFor();
    await part('tasks-now').getByText('1 running').waitFor();
    expect(await part('tasks-running').getByRole('row').count()).toBe(2);
    await part('tasks-running').getByText('No task is running.').waitFor();
    await part('tasks-now').getByText('0 running').waitFor();
  });

  it('follows what happens without being loaded again', async () => {
    await world.call('no_such_tool');
    await part('events')
      .getByRole('row', { name: /no_such_tool.*unknown_target/u })
      .waitFor();
    await world.breakBackend();
    for (let call = 0; call < 8; call += 1) {
      await world.call('list_services');
    }
    await part('status').getByText('Degraded').waitFor();
    await part('checks').getByRole('row', { name: 'configuration failed' }).waitFor();
    await part('upstreams').getByText('configuration.list_services open').waitFor();
    expect(await page.title()).toBe('Degraded · mcp-deployments-http');
  });

  it('shows only what was refused or failed, on request', async () => {
    await page.getByRole('button', { name: 'Refused and failed only' }).press('Enter');
    await part('events').getByText('unknown_target').first().waitFor();
    expect(await part('events').getByText('success').count()).toBe(0);
    await page.getByRole('button', { name: 'Refused and failed only' }).press('Enter');
    await part('events').getByText('success').first().waitFor();
  });

  it('reaches every part by the tab key, and pauses by a key', async () => {
    await page.evaluate('document.activeElement.blur()');
    const reached = new Set<string>();
    for (let stop = 0; stop < 20; stop += 1) {
      await page.keyboard.press('Tab');
      reached.add(
        await page.evaluate<string>('document.activeElement.id || document.activeElement.textContent'),
      );
    }
    expect([...reached]).toEqual(
      expect.arrayContaining([
        'To the content',
        'Calls',
        'pause',
        'tools',
        'tasks-running',
        'upstreams',
        'checks',
        'problems',
        'events',
      ]),
    );
    await page.keyboard.press('p');
    expect(await part('pause').getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('p');
  });

  it.each(['light', 'dark'] as const)('has text that can be read, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate<number>(LEAST_CONTRAST)).toBeGreaterThanOrEqual(4.5);
  });

  it('says so when the server is gone, and had no error of its own', async () => {
    await world.server.stop('SIGKILL');
    await part('status').getByText('No answer').waitFor();
    expect(problems.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  });
});

/** The least contrast of a text to what is behind it (WCAG 2.2, 1.4.3), as a script for the page. */
const LEAST_CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const layered = (colours) => {
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratios = [...document.querySelectorAll('body *')]
    .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== ''))
    .filter((node) => node.checkVisibility() && !node.classList.contains('skip'))
    .map((node) => {
      const behind = [];
      for (let at = node; at !== null; at = at.parentElement) { behind.unshift(getComputedStyle(at).backgroundColor); }
      const below = luminance(layered(['#fff', ...behind]));
      const text = luminance(layered(['#fff', ...behind, getComputedStyle(node).color]));
      return (Math.max(text, below) + 0.05) / (Math.min(text, below) + 0.05);
    });
  return Math.min(...ratios);
})()`;
