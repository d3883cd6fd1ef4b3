import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { platformFiles } from '../src/disk/platform-files.ts';
import { openAuditTrail } from '../src/index.ts';
import { options, temporaryDirectory } from './fixtures.ts';
import { startWriter } from './writer-process.ts';

describe('the directory lock', () => {
  it('lets one trail in a process write at a time', async () => {
    await using directory = await temporaryDirectory();
    const first = await openAuditTrail(options(directory.path));
    await expect(openAuditTrail(options(directory.path))).rejects.toMatchObject({ code: 'locked' });
    await expect(openAuditTrail(options(directory.path))).rejects.toMatchObject({ code: 'locked' });
    await first.close();
    await (await openAuditTrail(options(directory.path))).close();
  });

  it('keeps another process out and is released by kill -9', async () => {
    await using directory = await temporaryDirectory();
    const writer = await startWriter(directory.path);
    await writer.acknowledged(1);
    await expect(openAuditTrail(options(directory.path))).rejects.toMatchObject({ code: 'locked' });
    await writer.kill();
    await (await openAuditTrail(options(directory.path))).close();
  });
});

/** In a process of its own: who opens a pipe without care does not come back. */
async function openElsewhere(code: string): Promise<string> {
  const source = new URL('../src/index.ts', import.meta.url).href;
  const argv = [
    '--conditions=@mcp-parts/source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
  ];
  const program = `import * as parts from ${JSON.stringify(source)}; try { ${code} } catch (error) { console.log(error.message, error.cause?.message); } process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, [...argv, '--eval', program], {
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

describe.runIf(platformFiles.hasModes)('a pipe in the directory', () => {
  it('in the place of what says where it was written is refused at once', { timeout: 60_000 }, async () => {
    await using directory = await temporaryDirectory();
    const pipe = join(directory.path, 'place');
    await promisify(execFile)('mkfifo', [pipe]);
    const trail = { directory: directory.path, server: { name: 'test', version: '1' }, sinks: [] };
    const said = await openElsewhere(`await parts.openAuditTrail(${JSON.stringify(trail)});`);
    expect(said).toContain(`${pipe} is not a regular file`);
  });

  it('in the place of a personal key is refused at once', { timeout: 60_000 }, async () => {
    await using directory = await temporaryDirectory();
    const name = createHash('sha256').update('ada').digest('hex');
    const pipe = join(directory.path, `${name}.key`);
    await promisify(execFile)('mkfifo', [pipe]);
    const said = await openElsewhere(
      `const keys = await parts.openPersonalKeys(${JSON.stringify(directory.path)}); await keys.seal('ada', { email: 'a' });`,
    );
    expect(said).toContain(`${pipe} is not a regular file`);
  });
});
