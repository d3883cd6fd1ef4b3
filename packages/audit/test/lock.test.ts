import { describe, expect, it } from 'vitest';

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
