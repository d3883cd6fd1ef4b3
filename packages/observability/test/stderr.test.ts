import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

it('writes to stderr only, and every line is out when the process exits at once', () => {
  const fixture = fileURLToPath(new URL('log-lines.fixture.ts', import.meta.url));
  const child = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', fixture], {
    encoding: 'utf8',
  });
  expect(child.status).toBe(3);
  expect(child.stdout).toBe('');
  const lines = child.stderr.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'debug', name: 'child', step: 1, msg: 'first' }),
    expect.objectContaining({ level: 'error', msg: 'Bearer [Redacted]' }),
  ]);
  expect(child.stderr).not.toContain('planted-secret-value');
});
