import { isIP, isIPv4, isIPv6 } from 'node:net';

import { z } from 'zod';

import { loopbackNames } from '../../wire/cors.ts';

/** One entry as it will be compared, or why it cannot be meant. */
export type Entry = { readonly value: string } | { readonly problem: string };

/** The schema of entries that commas separate. Each is normalised, and one that could never match is refused. */
export function listSetting(entry: (text: string) => Entry): z.ZodType<readonly string[]> {
  return z.string().transform((text, context) => {
    const entries = text.split(',').map((part) => part.trim());
    const given = entries.filter((part) => part !== '');
    if (given.length === 0) {
      context.addIssue({
        code: 'custom',
        message: 'has an empty entry and no other: write one, or leave the variable out',
      });
      return z.NEVER;
    }
    if (given.length < entries.length) {
      context.addIssue({ code: 'custom', message: `has an empty entry: write ${given.join(',')}` });
      return z.NEVER;
    }
    if (/^[[{]["'{]|^\[\]$/u.test(text)) {
      context.addIssue({ code: 'custom', message: 'must be entries separated by commas, not JSON' });
      return z.NEVER;
    }
    const values: string[] = [];
    for (const part of given) {
      const read = entry(part);
      if ('value' in read) {
        values.push(read.value);
      } else {
        context.addIssue({ code: 'custom', message: `entry ${values.length + 1} ${read.problem}` });
        return z.NEVER;
      }
    }
    return [...new Set(values)];
  });
}

/** Any word; for lists whose entries their user checks. */
export const wordEntry = (text: string): Entry =>
  /["'\s]/u.test(text)
    ? { problem: 'holds quotes or white space: separate the entries by commas alone' }
    : { value: text };

/** A value and what it stands for, as `value=name`. */
export function pairEntry(text: string): Entry {
  const [value = '', name = '', ...more] = text.split('=').map((part) => part.trim());
  return value === '' || name === '' || more.length > 0
    ? { problem: 'must be two texts with an equals sign between them' }
    : { value: `${value}=${name}` };
}

/** RFC 1123 §2.1, and the underscore that names in clusters have; or an address, as URL writes it. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/u;
const isHost = (name: string): boolean => HOST_NAME.test(name) || isIPv6(name.replace(/^\[(.*)\]$/u, '$1'));

/** Other lists have other marks between their entries. */
const SEPARATORS = /[;|]/u;
const otherSeparator = (text: string): Entry => ({
  problem: `holds "${SEPARATORS.exec(text)?.[0] ?? ''}": separate the entries by commas`,
});

/** A name of this server as it stands in `Host`, in lower case and without port. */
export function hostEntry(text: string): Entry {
  if (text.includes('*')) {
    return { problem: 'has a wildcard: write each name out' };
  }
  if (SEPARATORS.test(text)) {
    return otherSeparator(text);
  }
  const url = URL.parse(/^https?:\/\//iu.test(text) ? text : `http://${isIPv6(text) ? `[${text}]` : text}`);
  const name = url?.hostname.replace(/\.$/u, '') ?? '';
  if (url === null || !isHost(name) || url.username !== '' || url.password !== '' || /["'\s]/u.test(text)) {
    return { problem: 'must be a host name, such as mcp.example.com' };
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return { problem: `must be a host name without a path: write ${name}` };
  }
  return { value: name };
}

/** The origin of a web page (RFC 6454 §6.1) as browsers send it, or a name of loopback for any of its ports. */
export function originEntry(text: string): Entry {
  const lower = text.toLowerCase();
  if (lower === '*' || lower.includes('*')) {
    return { problem: 'has a wildcard: write each origin out, such as https://client.example.com' };
  }
  if (SEPARATORS.test(text)) {
    return otherSeparator(text);
  }
  if (loopbackNames.some((name) => name === lower)) {
    return { value: lower };
  }
  if (lower === 'null') {
    return {
      problem:
        'is "null", which every sandboxed page sends: write an origin such as https://client.example.com',
    };
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\//u.test(lower)) {
    const { value } = { value: undefined, ...hostEntry(text) };
    const scheme = loopbackNames.some((name) => name === value) ? 'http' : 'https';
    return {
      problem: `must be an origin with its scheme${value === undefined ? ', such as https://client.example.com' : `: write ${scheme}://${lower.replace(/\/.*$/u, '')}`}`,
    };
  }
  const url = URL.parse(text);
  if (
    url === null ||
    !isHost(url.hostname.toLowerCase()) ||
    url.username !== '' ||
    url.password !== '' ||
    /["'\s]/u.test(text)
  ) {
    return { problem: 'must be an origin, such as https://client.example.com' };
  }
  if (/^(?:wss?|ftp|file|javascript|data|about|blob|mailto):$/u.test(url.protocol)) {
    return { problem: 'has a scheme that no web page has: write https:// or http://' };
  }
  // Pages of extensions and editors have schemes for which URL gives no origin.
  const origin = url.origin === 'null' ? `${url.protocol}//${url.host.toLowerCase()}` : url.origin;
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') {
    return { problem: `must be an origin without a path: write ${origin}` };
  }
  return { value: origin };
}

/** The address of a proxy, or a block of them (RFC 4632). */
export function addressEntry(text: string): Entry {
  // What Fastify calls the private blocks.
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) {
    return { value: text };
  }
  const [written = '', prefix, ...more] = text.split('/');
  const address = written.replace(/^\[(.*)\]$/u, '$1');
  if (address.includes('%')) {
    return { problem: `must be an address without a zone: write ${address.replace(/%.*$/u, '')}` };
  }
  if (isIP(address) === 0 || more.length > 0) {
    const bare = written.replace(/^\[(.*)\]:\d+$/u, '$1').replace(/^([\d.]+):\d+$/u, '$1');
    return {
      problem: `must be an address or a CIDR block, such as 10.0.0.0/8${isIP(bare) === 0 ? '' : `: write ${bare}`}`,
    };
  }
  if (prefix === undefined) {
    return { value: address };
  }
  const max = isIPv4(address) ? 32 : 128;
  return /^\d{1,3}$/u.test(prefix) && Number(prefix) <= max
    ? { value: `${address}/${Number(prefix)}` }
    : { problem: `must have a prefix length from 0 to ${max}` };
}

/** The schema of the address to listen on. */
export function listenAddress(byDefault: string): z.ZodType<string> {
  return z
    .string()
    .default(byDefault)
    .transform((text, context) => {
      const bare = text.replace(/^\[(.*)\]$/u, '$1').toLowerCase();
      // URL knows that 256.1.1.1 is meant as an address, and none.
      if (isIP(bare) !== 0 || (HOST_NAME.test(bare) && URL.canParse(`http://${bare}`))) {
        return bare;
      }
      const host = hostEntry(text);
      const hint =
        text === '*' ? '0.0.0.0' : 'value' in host ? host.value.replace(/^\[(.*)\]$/u, '$1') : undefined;
      context.addIssue({
        code: 'custom',
        message: `must be an address without scheme and port, such as 127.0.0.1${hint === undefined ? '' : `: write ${hint}`}`,
      });
      return z.NEVER;
    });
}
