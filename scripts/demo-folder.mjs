// Where a demo keeps what outlives it, and what others have to know of it while it runs.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The port of the server when PORT does not say another. */
export const DEMO_PORT = 3000;

/** The folder of the demo on a port: two demos can run side by side. */
export function demoFolder(root, port) {
  return join(root, 'data', Number(port) === DEMO_PORT ? 'demo' : `demo-${port}`);
}

/** Writes down where the demo is: its endpoint, its issuer, and the client that may ask for tokens by hand. */
export async function writeDemo(folder, { endpoint, issuer, clientId }) {
  await writeFile(join(folder, 'demo.json'), JSON.stringify({ endpoint, issuer, clientId }));
}

/** Reads what `writeDemo` wrote. Rejects when no demo was started there. */
export async function readDemo(folder) {
  return JSON.parse(await readFile(join(folder, 'demo.json'), 'utf8'));
}
