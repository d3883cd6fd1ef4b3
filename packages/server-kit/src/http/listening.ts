import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Waits until the server listens; rejects with what the system says against it. */
export function listening(http: Server, host: string, port: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen({ host, port }, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

/** The URL of a server that listens. */
export function urlOf(http: Server, host: string, path: string): string {
  // A server that listens on a port has an AddressInfo.
  const { port } = http.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}
