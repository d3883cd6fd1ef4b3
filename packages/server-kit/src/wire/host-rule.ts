import type { IncomingMessage } from 'node:http';

/** Which host names a server answers to; `undefined` for any. */
export function createHostRule(allowedHosts: readonly string[]): (host: string | undefined) => boolean {
  const hosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
  return (host) => hosts.has((host ?? '').toLowerCase().replace(/:\d+$/u, ''));
}

/** How often a request has a header: Node takes the first of two; a proxy before it may have taken the second. */
export function countOfHeader(header: string, { rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === header.length && name.toLowerCase() === header) {
      count += 1;
    }
  }
  return count;
}
