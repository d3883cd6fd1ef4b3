import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** A name that resolves to an address inside the network, or an address that is. */
class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';
  readonly code = 'ERR_PRIVATE_ADDRESS';
}

/** Tells public addresses from those inside a network: loopback, private, link-local, shared, reserved, multicast (RFC 6890). */
export interface AddressRule {
  readonly isPublic: (address: string) => boolean;
  /** Looks a host up as `dns.lookup` does and fails when any address is not public, so a name cannot point inside. */
  readonly lookup: LookupFunction;
}

/** Creates the rule. */
export function createAddressRule(): AddressRule {
  const inside = createBlockList();
  const isPublic = (address: string) => !inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return {
    isPublic,
    lookup(hostname, options, callback) {
      lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] | undefined) => {
        const [first] = addresses ?? [];
        if (addresses === undefined || first === undefined) {
          return callback(error, '');
        }
        if (!addresses.every(({ address }) => isPublic(address))) {
          return callback(new PrivateAddress(`${hostname} has a private address`), '');
        }
        if (options.all === true) {
          callback(null, addresses);
        } else {
          callback(null, first.address, first.family);
        }
      });
    },
  };
}

/**
 * Refuses a base URL that names a private address: sockets look no literal up, so {@link AddressRule.lookup} never sees it.
 * @throws {TypeError} when the host is an address that is not public
 */
export function checkLiteralHost(origin: string, rule: AddressRule): void {
  const host = new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !rule.isPublic(host)) {
    throw new TypeError('baseUrl names a private address, which refusePrivateAddresses forbids');
  }
}

const NETWORKS = {
  ipv4: [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ],
  ipv6: [
    ['::', 128],
    ['::1', 128],
    // Translated IPv4 (NAT64, Teredo, 6to4) may stand for any address inside.
    ['64:ff9b::', 96],
    ['2001::', 32],
    ['2002::', 16],
    ['fc00::', 7],
    ['fe80::', 10],
    ['ff00::', 8],
  ],
} as const;

/** Built for each client that wants it: importing this package must not do work. */
function createBlockList(): BlockList {
  const list = new BlockList();
  for (const [network, bits] of NETWORKS.ipv4) {
    list.addSubnet(network, bits, 'ipv4');
  }
  for (const [network, bits] of NETWORKS.ipv6) {
    list.addSubnet(network, bits, 'ipv6');
  }
  return list;
}
