import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';

/** Fastify's names for blocks of addresses. */
const NAMED_BLOCKS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};
const PEM = /-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----/gu;

/** Where a proxy puts the certificate, and which proxies may. */
export interface ClientCertificateOptions {
  /** In lower case. */
  readonly header: string;
  /** Addresses, CIDR blocks, and Fastify's names for such. */
  readonly trustedProxies: readonly string[];
}

/**
 * Reads the client's certificate from a header, of a request whose socket ends at a trusted proxy. Takes the spellings of
 * RFC 9440, of Envoy (`x-forwarded-client-cert`), and a PEM or DER certificate in base64, percent-encoded or not (nginx,
 * HAProxy, Traefik, AWS). A header that came twice, and one with several certificates, has none: which of them is the
 * client's is not said.
 */
export function clientCertificateFrom(
  options: ClientCertificateOptions,
): (request: IncomingMessage) => Uint8Array | undefined {
  const proxies = blocksOf(options.trustedProxies);
  return ({ socket, rawHeaders }) => {
    const address = socket.remoteAddress?.replace(/%.*$/u, '');
    if (address === undefined || !proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) {
      return undefined;
    }
    const values = rawHeaders.filter(
      (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === options.header,
    );
    const [value] = values;
    return value === undefined || values.length > 1 ? undefined : certificateIn(value);
  };
}

function blocksOf(entries: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const entry of entries.flatMap((name) => NAMED_BLOCKS[name] ?? [name])) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) {
      blocks.addAddress(address, family);
    } else {
      blocks.addSubnet(address, Number(prefix), family);
    }
  }
  return blocks;
}

/** The one certificate in the value, in DER. */
function certificateIn(value: string): Uint8Array | undefined {
  const base64 = base64In(value.trim());
  if (base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/u.test(base64)) {
    return undefined;
  }
  const der = Buffer.from(base64, 'base64');
  try {
    const { raw } = new X509Certificate(der);
    // What follows the certificate would not be part of what was checked.
    return raw.length === der.length ? raw : undefined;
  } catch {
    // Not a certificate: as if none had come.
    return undefined;
  }
}

function base64In(value: string): string | undefined {
  // RFC 9440 §2.1: a byte sequence of structured fields.
  const [, bytes] = /^:([A-Za-z0-9+/=]+):$/u.exec(value) ?? [];
  if (bytes !== undefined) {
    return bytes;
  }
  const text = decoded(forwarded(value) ?? value);
  if (text?.includes('-----') !== true) {
    return text?.replaceAll(/\s/gu, '');
  }
  const certificates = [...text.matchAll(PEM)];
  return certificates.length === 1 ? certificates[0]?.[1]?.replaceAll(/\s/gu, '') : undefined;
}

/** Envoy's `By=…;Hash=…;Cert="…"`: one element per proxy, and only where there is one is it the client's. */
function forwarded(value: string): string | undefined {
  if (!/^(?:By|Hash|Cert|Chain|Subject|URI|DNS)=/iu.test(value)) {
    return undefined;
  }
  const withoutQuoted = value.replaceAll(/"(?:[^"\\]|\\.)*"/gu, '""');
  const certificates = [...value.matchAll(/(?:^|;)Cert="([^"]*)"/giu)];
  return withoutQuoted.includes(',') || certificates.length !== 1 ? '' : certificates[0]?.[1];
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    // A stray percent sign: nothing that a proxy wrote.
    return undefined;
  }
}
