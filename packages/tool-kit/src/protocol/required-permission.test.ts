import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { echoTool } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { definePrompt } from '../definition/define-prompt.ts';
import { defineResource } from '../definition/define-resource.ts';
import { defineTool } from '../definition/define-tool.ts';
import { requiredPermission } from './required-permission.ts';

const environment = z.enum(['staging', 'production']);
const permission = {
  anyOf: ['deploy:staging', 'deploy:production'],
  select: ({ environment }: { readonly environment: string }) => `deploy:${environment}`,
};
const deploy = defineTool({
  name: 'deploy',
  title: 'Deploy',
  description: 'Deploys.',
  input: z.strictObject({ environment }),
  output: z.object({}),
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
  permission,
  handle: () => Promise.resolve({}),
  text: () => 'Deployed.',
});
const status = defineResource({
  name: 'status',
  title: 'Status',
  description: 'What runs.',
  uriTemplate: 'status://{environment}',
  parameters: z.object({ environment }),
  permission,
  list: () => Promise.resolve([]),
  read: () => Promise.resolve({}),
});
const rollback = definePrompt({
  name: 'rollback',
  title: 'Roll back',
  description: 'Rolls back.',
  arguments: z.object({ environment }),
  permission,
  render: () => 'Roll back.',
});
const catalog = createCatalog({ tools: [echoTool(), deploy], resources: [status], prompts: [rollback] });

describe('requiredPermission', () => {
  it.each([
    ['tools/call', { name: 'deploy', arguments: { environment: 'production' } }, 'deploy:production'],
    ['tools/call', { name: 'deploy', arguments: { environment: 'staging' } }, 'deploy:staging'],
    ['tools/call', { name: 'echo' }, 'things:read'],
    ['resources/read', { uri: 'status://production' }, 'deploy:production'],
    ['prompts/get', { name: 'rollback', arguments: { environment: 'staging' } }, 'deploy:staging'],
  ])('follows from the parsed request: %s %j needs %s', (method, params, expected) => {
    expect(requiredPermission(catalog, method, params)).toBe(expected);
  });

  it.each([
    ['tools/call', { name: 'deploy', arguments: { environment: 'Production' } }],
    ['tools/call', { name: 'deploy', arguments: { environment: ['production'] } }],
    ['tools/call', { name: 'deploy' }],
    ['tools/call', { name: 'unknown', arguments: {} }],
    ['tools/call', { name: 7 }],
    ['tools/call', {}],
    ['resources/read', { uri: 'status://moon' }],
    ['resources/read', { uri: 'other://production' }],
    ['prompts/get', { name: 'deploy' }],
    ['tools/list', { name: 'deploy', arguments: { environment: 'production' } }],
    ['constructor', { name: 'deploy' }],
  ])('is left to the call: %s %j', (method, params) => {
    expect(requiredPermission(catalog, method, params)).toBeUndefined();
  });
});
