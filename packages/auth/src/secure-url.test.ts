import { assert, property, webUrl } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonicalResource, checkAudienceUri, checkIssuer, checkIssuerName } from './secure-url.ts';

describe('canonicalResource', () => {
  it.each([
    ['https://mcp.example.test/mcp', 'https://mcp.example.test/mcp'],
    ['HTTPS://MCP.Example.test:443/mcp/', 'https://mcp.example.test/mcp'],
    ['http://mcp.example.test:80', 'http://mcp.example.test'],
    ['https://mcp.example.test/', 'https://mcp.example.test'],
    ['https://mcp.example.test:80/Mcp%3A', 'https://mcp.example.test:80/Mcp%3A'],
    ['https://mcp.example.test/mcp/?a=B', 'https://mcp.example.test/mcp?a=B'],
    ['http://127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/mcp'],
    ['http://[::1]:3000/mcp', 'http://[::1]:3000/mcp'],
    ['https://xn--bcher-kva.example/mcp', 'https://xn--bcher-kva.example/mcp'],
    ['api://0a1b/', 'api://0a1b/'],
    ['URN:Example:Mcp', 'URN:Example:Mcp'],
    ['account', 'account'],
  ])('spells %s as %s', (value, canonical) => expect(canonicalResource(value)).toBe(canonical));

  it.each([
    'http://0177.0.0.1/mcp',
    'http://0x7f.0.0.1/mcp',
    'http://0x7f000001/mcp',
    'http://2130706433/mcp',
    'http://127.1/mcp',
    'http://127.0.0.1./mcp',
    'http://127.000.000.001/mcp',
    'http://[0:0:0:0:0:0:0:1]/mcp',
    'http://[::FFFF:127.0.0.1]/mcp',
    'https://mcp.example.test/a/../mcp',
    'https://mcp.example.test/a/.%2E/mcp',
    'https://mcp.example.test\\mcp',
    'https://mcp.example.test/m\\cp',
    'https://mcp.example.test/m cp',
    'https://mcp.example.test/mcp\t',
    'https://user:password@mcp.example.test/mcp',
    'https://mcp.example.test/mcp#',
    'https://mcp.example.test/mcp?',
    'https://bücher.example/mcp',
    'https://mcp.example.test/bücher',
    'https://mcp。example.test/mcp',
    'https://',
    'https:///mcp',
    'https://mcp.example.test/mcp//',
  ])('has no spelling for %s', (value) => expect(canonicalResource(value)).toBeUndefined());

  it('changes nothing the second time, and only case, port and slash the first', () => {
    assert(
      property(webUrl({ withQueryParameters: true }), (url) => {
        const once = canonicalResource(url) ?? '';
        const [path = '', ...query] = url.toLowerCase().split('?');
        const spelled = [path.replace(/\/$/, ''), ...query].join('?');
        expect([canonicalResource(once), once.toLowerCase()]).toEqual([once, once === '' ? '' : spelled]);
      }),
    );
  });
});

describe('an audience of our own', () => {
  it.each([
    '',
    ' https://mcp.example.test',
    'https://mcp.example.test/a/../mcp',
    'http://2130706433/mcp',
    'https://mcp.example.test/#x',
  ])('is not spelled %j', (value) =>
    expect(() => checkAudienceUri(value, 'audience')).toThrow(/^audience must be/),
  );

  it('shows no credentials when it is refused', () => {
    expect(() => checkAudienceUri('https://user:hunter2@mcp.example.test', 'audience')).toThrow(
      'audience must not hold credentials',
    );
  });
});

describe('an issuer', () => {
  it.each([
    'https://login.microsoftonline.com/{tenantid}/v2.0',
    'https://login.microsoftonline.com/%7Btenantid%7D/v2.0',
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/organizations/v2.0',
    'https://LOGIN.microsoftonline.us/Common/v2.0',
    'https://login.partner.microsoftonline.cn/consumers/v2.0',
    'https://sts.windows.net/common/',
    'https://idp.example.test/<tenant>',
  ])('is not that of any tenant: %s', (value) =>
    expect(() => checkIssuer(value, 'issuer')).toThrow("issuer must be one tenant's"),
  );

  it('may be called common elsewhere', () => {
    expect(checkIssuer('https://idp.example.test/realms/common', 'issuer')).toBeDefined();
  });

  it.each(['https://idp.example.test/ü', 'https://idp.example.test/a b', 'ftp://idp.example.test'])(
    'is not spelled %s',
    (value) => expect(() => checkIssuer(value, 'issuer')).toThrow(/^issuer must/),
  );

  it('may be http where it is only a name', () => {
    expect(checkIssuerName('http://fs.example.test/adfs/services/trust', 'issuer')).toBeDefined();
    expect(() => checkIssuer('http://fs.example.test/adfs/services/trust', 'issuer')).toThrow('https');
  });
});
