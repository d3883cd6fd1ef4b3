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

it('leaves a program with many loggers one place for its listeners', () => {
  const module = new URL('../src/logger.ts', import.meta.url).href;
  const source = `import { createLogger } from ${JSON.stringify(module)};
    const loggers = Array.from({ length: 30 }, (_, index) => createLogger({ name: 'logger ' + index }));
    for (const logger of loggers) logger.info('hello');`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });

  const lines = child.stderr.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toHaveLength(30);
  expect(child.status).toBe(0);
});
