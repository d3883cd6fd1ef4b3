import { join } from 'node:path';

import { auditCheckpointSchema, type AuditCheckpoint } from '../chain/checkpoint.ts';
import { checkPath } from '../disk/check-path.ts';
import { nodeFileSystem, readIfPresent, replaceFile } from '../disk/file-system.ts';
import { AuditError } from '../errors.ts';
import type { AnchorKeeper } from './anchor-keeper.ts';

const WRITER_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Keeps anchors as files, `<writerId>.json` for each trail: on another volume, such as one that is written once. Several
 * processes may share the directory, which is created with mode 0700. `mcp-audit verify --anchor` takes it as it is.
 * @throws {TypeError} when the path is none
 */
export function createAnchorDirectory(path: string): AnchorKeeper {
  checkPath('path', path);
  return {
    name: path,
    async keepAnchor(anchor) {
      await nodeFileSystem.makeDirectory(path);
      await writeAnchor(path, anchorFileName(anchor.writerId), anchor);
    },
    latestAnchor: (writerId) => readAnchor(path, anchorFileName(writerId)),
  };
}

/** Writes an anchor to a file, in one step; durable when it resolves. */
export async function writeAnchor(directory: string, name: string, anchor: AuditCheckpoint): Promise<void> {
  await replaceFile(nodeFileSystem, directory, name, Buffer.from(`${JSON.stringify(anchor)}\n`));
}

/**
 * Reads the anchor in a file; `undefined` when there is no file.
 * @throws {AuditError} `damaged` when it holds something else
 */
export async function readAnchor(directory: string, name: string): Promise<AuditCheckpoint | undefined> {
  const bytes = await readIfPresent(nodeFileSystem, directory, name);
  if (bytes === undefined) {
    return undefined;
  }
  try {
    return auditCheckpointSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new AuditError('damaged', `${join(directory, name)} holds no anchor`, { cause });
  }
}

/** The name of the file of one writer. */
export function anchorFileName(writerId: string): string {
  if (!WRITER_ID.test(writerId)) {
    throw new TypeError('writerId must be a UUID');
  }
  return `${writerId}.json`;
}
