import { randomBytes, randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';

const BYTES = 32;

/**
 * The key that signs session ids, kept in a file so that sessions outlive a restart. Made on first use.
 *
 * @throws {Error} when the file cannot be read or written, or holds something else.
 */
export async function openSessionKey(file: string): Promise<Uint8Array> {
  const key = (await readIfThere(file)) ?? (await makeKey(file));
  if (key.length !== BYTES) {
    throw new Error(
      `${file} must hold ${BYTES} bytes, and holds ${key.length}: remove it, and sessions begin anew`,
    );
  }
  return key;
}

/** Several may start at once; the first one's key counts, and nobody sees half of it. */
async function makeKey(file: string): Promise<Uint8Array> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, randomBytes(BYTES), { mode: 0o600 });
  try {
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(file);
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    // Whoever opens a pipe waits for its other end.
    if (!(await stat(file)).isFile()) {
      throw new Error(`${file} is not a regular file`);
    }
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
