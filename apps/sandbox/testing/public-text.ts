import { expect } from 'vitest';

import type { Sandbox } from '../src/index.ts';

/**
 * Asserts that what a client was given holds nothing internal: no stack, no address or path of ours, no
 * secret. `allowed` is what the client sent itself.
 */
export function assertPublic(given: unknown, sandbox: Sandbox, secrets: readonly string[] = []): void {
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  expect(text).not.toMatch(/\bat (?:async )?[\w.<>]+ \(|node_modules|\.[cm]?[jt]s:\d|node:internal/u);
  expect(text).not.toMatch(/ECONN|EACCES|ENOENT|UND_ERR|undici|zod|127\.0\.0\.1|localhost/iu);
  for (const url of Object.values(sandbox.urls)) {
    expect(text).not.toContain(new URL(url).host);
  }
  for (const path of [sandbox.stateDirectory, process.cwd()]) {
    expect(text).not.toContain(path);
  }
  for (const secret of [sandbox.clients.mcpServer.clientSecret, ...secrets]) {
    expect(text).not.toContain(secret);
  }
}
