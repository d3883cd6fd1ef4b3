import type { IncomingMessage } from 'node:http';

import { describe, expect, it } from 'vitest';

import { clientCertificateFrom } from './client-certificate.ts';

/** A certificate, in base64; nobody has its key. */
const CERTIFICATE = [
  'MIIBHzCBxqADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHRlc3QwHhcNMjYxMTI5MTUwMzU5WhcNMjYxMjAxMTUw',
  'MzU5WjAPMQ0wCwYDVQQDDAR0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUGARy2N2+Cqo+o7D8I/atOJ1bJk8irju',
  '2NccH9btsvwDcxtWknMxVmSaNgveFp3gkj43rGulCdBAbqrkBZS9/KMTMBEwDwYDVR0RBAgwBocEfwAAATAKBggqhkjOPQQD',
  'AgNIADBFAiBg6uBsFXuRvMHj7YKBJeS4LrarC86SdQx6AKJQxguzcQIhAKyAqKzfhwvPdaG4e3aHPcBUsgTGbh7ivzXBww20',
  'V2Em',
].join('');
const lines = CERTIFICATE.match(/.{1,64}/gu) ?? [];
const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
const der = Buffer.from(CERTIFICATE, 'base64');
const envoy = (...elements: string[]): string => elements.join(',');
const element = `Hash=0a1b;Cert="${encodeURIComponent(pem)}";Subject="CN=a,O=b;c"`;

function read(
  values: readonly string[],
  {
    from = '10.0.0.7',
    proxies = ['10.0.0.0/8'],
  }: { readonly from?: string; readonly proxies?: string[] } = {},
): string | undefined {
  const certificateOf = clientCertificateFrom({ header: 'x-client-cert', trustedProxies: proxies });
  const rawHeaders = ['Host', 'x-client-cert', ...values.flatMap((value) => ['X-Client-Cert', value])];
  // As much of a request as is looked at.
  const request = { socket: { remoteAddress: from }, rawHeaders } as unknown as IncomingMessage;
  const certificate = certificateOf(request);
  return certificate && Buffer.from(certificate).toString('base64');
}

describe('the certificate of a client', () => {
  it.each([
    ['as RFC 9440 has it', `:${CERTIFICATE}:`],
    ['as Envoy has it', envoy(element)],
    ['as nginx and AWS have it', encodeURIComponent(pem)],
    ['as AWS has it', encodeURI(pem)],
    ['with tabs in it', pem.replaceAll('\n', '\n\t')],
    ['as Traefik and HAProxy have it', CERTIFICATE],
  ])('is read %s', (_, value) => expect(read([value])).toBe(CERTIFICATE));

  it.each([
    ['is empty', ['']],
    ['is no certificate', ['bm90IG9uZQ==']],
    ['is cut', [`:${CERTIFICATE.slice(0, 40)}:`]],
    ['has more after it', [Buffer.concat([der, Buffer.from('x')]).toString('base64')]],
    ['came twice', [`:${CERTIFICATE}:`, `:${CERTIFICATE}:`]],
    ['came twice and was joined', [`:${CERTIFICATE}:, :${CERTIFICATE}:`]],
    ['has two certificates', [encodeURIComponent(pem + pem)]],
    ['has gone through two proxies', [envoy(element, element)]],
    ['has a certificate that an element before it brought', [envoy(element, 'Hash=0a1b')]],
    ['has only a hash', ['Hash=0a1b']],
    ['has a certificate inside another text', [`Subject="x;Cert=${CERTIFICATE}"`]],
    ['is not encoded as it should be', ['%']],
  ])('is not there when the header %s', (_, values) => expect(read(values)).toBeUndefined());

  it('is nobody’s without the header', () => expect(read([])).toBeUndefined());

  it.each([
    ['192.0.2.1', ['10.0.0.0/8']],
    ['::ffff:192.0.2.1', ['10.0.0.0/8']],
    ['10.0.0.7', ['10.0.0.8']],
    ['10.0.0.7', []],
  ])('is not believed when %s sends it and %j are trusted', (from, proxies) => {
    expect(read([CERTIFICATE], { from, proxies })).toBeUndefined();
  });

  it.each([
    ['::ffff:10.0.0.7', ['10.0.0.0/8']],
    ['127.0.0.1', ['loopback']],
    ['::1', ['loopback']],
    ['fe80::1%eth0', ['linklocal']],
    ['2001:db8::7', ['2001:db8::/32']],
    ['192.168.1.1', ['uniquelocal']],
  ])('is believed when %s sends it and %j are trusted', (from, proxies) => {
    expect(read([CERTIFICATE], { from, proxies })).toBe(CERTIFICATE);
  });
});
