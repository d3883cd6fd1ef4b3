import { describe, expect, it } from 'vitest';

import { temporaryDirectory } from '../../test/fixtures.ts';
import { GENESIS } from '../chain/record.ts';
import { nodeFileSystem } from '../disk/file-system.ts';
import { silentLogger } from '../logger.ts';
import { readCursor, startPosition, writeCursor, type Cursor } from './cursor.ts';

const cursor: Cursor = {
  version: 1,
  writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
  segment: 3,
  offset: 400,
  sequence: 12,
  hash: 'a'.repeat(64),
};
const position = { segment: 3, offset: 400, sequence: 12, hash: 'a'.repeat(64) };
const given = { cursor, writerId: cursor.writerId, sink: { name: 'memory' }, logger: silentLogger };

describe('a cursor', () => {
  it('is read back as it was written, the last one of each sink', async () => {
    await using directory = await temporaryDirectory();
    const read = (sink: string) => readCursor(directory.path, nodeFileSystem, sink, silentLogger);
    expect(await read('a')).toBeUndefined();
    await writeCursor(directory.path, nodeFileSystem, 'a', cursor);
    await writeCursor(directory.path, nodeFileSystem, 'b', { ...cursor, sequence: 1 });
    await writeCursor(directory.path, nodeFileSystem, 'a', { ...cursor, sequence: 13 });
    expect(await read('a')).toEqual({ ...cursor, sequence: 13 });
    expect(await read('b')).toEqual({ ...cursor, sequence: 1 });
  });

  it('says where to go on', () => {
    expect(startPosition(given, 2)).toEqual(position);
  });

  it('of another chain says nothing: delivery begins with the first segment', () => {
    const warnings: object[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    const other = { ...given, writerId: 'another', logger };
    expect(startPosition(other, 2)).toEqual({ segment: 2, offset: 0, ...GENESIS });
    expect(warnings).toEqual([{ sink: 'memory' }]);
  });

  it('that is missing means the same, without a warning', () => {
    const logger = { ...silentLogger, warn: () => expect.unreachable() };
    expect(startPosition({ ...given, cursor: undefined, logger })).toEqual({
      segment: 0,
      offset: 0,
      ...GENESIS,
    });
  });
});
