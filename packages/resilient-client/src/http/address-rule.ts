import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

import ipaddr from 'ipaddr.js';

/** A name that resolves to an address inside the network, or an address that is. */
class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';
  readonly code = 'ERR_PRIVATE_ADDRESS';
}

/** Tells global unicast addresses from all others: loopback, private, link-local, shared, documentation, multicast (RFC 6890). */
export interface AddressRule {
  readonly isPublic: (address: string) => boolean;
  /** Looks a host up as `dns.lookup` does and fails when any address is not public, so a name cannot point inside. */
  readonly lookup: LookupFunction;
}

/** Creates the rule. */
export function createAddressRule(): AddressRule {
  return {
    isPublic: isPublicAddress,
    lookup(hostname, options, callback) {
      lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] | undefined) => {
        const [first] = addresses ?? [];
        if (addresses === undefined || first === undefined) {
          return callback(error, '');
        }
        if (!addresses.every(({ address }) => isPublicAddress(address))) {
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

/** Global unicast, as IPv4 or as IPv6; what is translated into IPv6 may stand for any address inside, and is not. */
function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) {
    return false;
  }
  if (version === 4) {
    return ipaddr.IPv4.parse(address).range() === 'unicast';
  }
  const parsed = ipaddr.IPv6.parse(inHexadecimal(address));
  if (parsed.isIPv4MappedAddress()) {
    return parsed.toIPv4Address().range() === 'unicast';
  }
  return parsed.range() === 'unicast' && parsed.match(GLOBAL_UNICAST);
}

/** An IPv6 address without dots and zone: ipaddr.js takes the IPv4-compatible `::10.0.0.1` for an IPv4-mapped one. */
function inHexadecimal(address: string): string {
  return new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1);
}

// RFC 4291 §2.4 and IANA's registry: nothing outside of it has been given to anyone.
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
