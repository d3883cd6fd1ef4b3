import { describe, expect, it } from 'vitest';

import { metadataPaths, protectedResourceMetadata } from './resource-metadata.ts';

describe('protectedResourceMetadata', () => {
  it('describes the server as RFC 9728 wants it', () => {
    expect(
      protectedResourceMetadata({
        resource: 'HTTPS://MCP.example.test/mcp/',
        authorizationServers: ['https://idp.example.test'],
        scopes: ['deploy:read', 'deploy:read', 'offline_access'],
        resourceName: 'Deployments',
      }),
    ).toEqual({
      resource: 'https://mcp.example.test/mcp',
      authorization_servers: ['https://idp.example.test'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['deploy:read'],
      resource_name: 'Deployments',
    });
  });

  it.each([
    ['no authorization server', { authorizationServers: [] }],
    ['an authorization server over plain http', { authorizationServers: ['http://idp.example.test'] }],
    ['a resource over plain http', { resource: 'http://mcp.example.test' }],
    ['a resource with a fragment', { resource: 'https://mcp.example.test/#x' }],
    ['a resource that is no URL', { resource: 'mcp' }],
  ])('refuses %s', (_, options) => {
    const good = { resource: 'https://mcp.example.test', authorizationServers: ['https://idp.example.test'] };
    expect(() => protectedResourceMetadata({ ...good, ...options })).toThrow(TypeError);
  });
});

describe('metadataPaths', () => {
  const root = '/.well-known/oauth-protected-resource';
  it.each([
    ['https://m.test/mcp', { paths: [`${root}/mcp`, root], url: `https://m.test${root}/mcp` }],
    ['https://m.test/', { paths: [root], url: `https://m.test${root}` }],
    ['http://127.0.0.1:3000/a/b/', { paths: [`${root}/a/b`, root], url: `http://127.0.0.1:3000${root}/a/b` }],
  ])('%s', (resource, expected) => {
    expect(metadataPaths(resource)).toEqual(expected);
  });
});
