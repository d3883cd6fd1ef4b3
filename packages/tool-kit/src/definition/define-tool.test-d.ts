import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { z as zod3 } from 'zod-3.25';
import { z as otherZod } from 'zod-4.3';
import * as mini from 'zod/mini';

import { createCatalog } from '../catalog/catalog.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { AuditTrail, Caller, Logger } from '../ports.ts';
import type { registerTool as registerTool2025 } from '../sdk-2025.ts';
import type { registerTool as registerTool2026 } from '../sdk-2026.ts';
import type { CallContext } from './call-context.ts';
import { textContent } from './content.ts';
import { definePrompt, type PromptDefinition } from './define-prompt.ts';
import { defineResource, type ResourceDefinition } from './define-resource.ts';
import { defineTool, type ContentToolDefinition, type ToolDefinition } from './define-tool.ts';

const input = z.strictObject({
  service: z.string(),
  environment: z.enum(['staging', 'production']).default('staging'),
  since: z.string().transform((text) => text.length),
});
const output = z.object({ id: z.string(), regions: z.array(z.string()).default([]) });
interface Parsed {
  service: string;
  environment: 'staging' | 'production';
  since: number;
}

const base = {
  name: 'deploy',
  title: 'Deploy',
  description: 'Deploys.',
  input,
  output,
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  permission: 'deploy:any',
} as const;

const deploy = defineTool({
  ...base,
  permission: {
    anyOf: ['deploy:staging', 'deploy:production'],
    select: (parsed) => {
      expectTypeOf(parsed).toEqualTypeOf<Parsed>();
      return `deploy:${parsed.environment}`;
    },
  },
  audit: (parsed) => {
    expectTypeOf(parsed).toEqualTypeOf<Parsed>();
    return { resource: parsed.service };
  },
  handle(parsed, context) {
    expectTypeOf(parsed).toEqualTypeOf<Parsed>();
    expectTypeOf(context).toEqualTypeOf<CallContext>();
    return Promise.resolve({ id: parsed.service });
  },
  text: (result, parsed) => {
    expectTypeOf(result).toEqualTypeOf<{ id: string; regions: string[] }>();
    expectTypeOf(parsed).toEqualTypeOf<Parsed>();
    return result.id;
  },
  isFailure: (result) => result.regions.length === 0,
});

describe('defineTool', () => {
  it('infers the input and output of every member from the schemas', () => {
    type Handle = (typeof deploy)['handle'];
    expectTypeOf<Handle>().parameter(0).toEqualTypeOf<Parsed>();
    expectTypeOf<Handle>().returns.resolves.toEqualTypeOf<{
      id: string;
      regions?: string[] | undefined;
    }>();
  });

  it('does not compile a handler that returns another shape', () => {
    expectTypeOf(
      defineTool({
        ...base,
        // @ts-expect-error `id` is a string in the output schema
        handle: () => Promise.resolve({ id: 7 }),
        text: () => '',
      }),
    ).toBeObject();
    expectTypeOf(
      defineTool({
        ...base,
        // @ts-expect-error `id` is missing
        handle: () => Promise.resolve({}),
        text: () => '',
      }),
    ).toBeObject();
  });

  it('does not compile a handler that reads an argument that is not in the schema', () => {
    expectTypeOf(
      defineTool({
        ...base,
        // @ts-expect-error there is no `servcie`
        handle: ({ servcie }) => Promise.resolve({ id: String(servcie) }),
        text: () => '',
      }),
    ).toBeObject();
  });

  it('does not compile with a schema that is not an object of this zod', () => {
    const members = { ...base, handle: () => Promise.resolve({ id: '' }), text: () => '' };
    expectTypeOf(
      defineTool({
        ...members,
        // @ts-expect-error arguments are an object
        input: z.string(),
      }),
    ).toBeObject();
    expectTypeOf(
      defineTool({
        ...members,
        // @ts-expect-error annotations of zod/mini are not read
        input: mini.object({ service: mini.string() }),
      }),
    ).toBeObject();
    expectTypeOf(
      defineTool({
        ...members,
        // @ts-expect-error the version differs
        input: otherZod.object({ service: otherZod.string() }),
      }),
    ).toBeObject();
    expectTypeOf(
      defineTool({
        ...members,
        // @ts-expect-error zod 3
        input: zod3.object({ service: zod3.string() }),
      }),
    ).toBeObject();
  });

  it('takes a tool without an output schema, which answers with content', () => {
    const tool = defineTool({
      ...base,
      output: undefined,
      handle(parsed) {
        expectTypeOf(parsed).toEqualTypeOf<Parsed>();
        return Promise.resolve([textContent(parsed.service)]);
      },
    });
    expectTypeOf(tool).toExtend<ContentToolDefinition>();
    expectTypeOf(createCatalog).toBeCallableWith({ tools: [tool, deploy] });
    expectTypeOf(
      // @ts-expect-error data has a schema
      defineTool({
        ...base,
        output: undefined,
        handle: () => Promise.resolve({ id: '' }),
      }),
    ).toBeObject();
  });

  it('requires the annotations, one by one', () => {
    expectTypeOf(
      defineTool({
        ...base,
        // @ts-expect-error `openWorld` is missing
        annotations: { readOnly: true, destructive: false, idempotent: true },
        handle: () => Promise.resolve({ id: '' }),
        text: () => '',
      }),
    ).toBeObject();
  });

  it('gives a tool that fits the catalog and both bindings', () => {
    expectTypeOf(deploy).toExtend<ToolDefinition>();
    expectTypeOf(createCatalog).toBeCallableWith({ tools: [deploy] });
    expectTypeOf<typeof deploy>().toExtend<Parameters<typeof registerTool2025>[1]>();
    expectTypeOf<typeof deploy>().toExtend<Parameters<typeof registerTool2026>[1]>();
  });
});

describe('defineResource', () => {
  const configuration = defineResource({
    name: 'configuration',
    title: 'Configuration',
    description: 'The configuration.',
    uriTemplate: 'deployment://config/{service}/{environment}',
    parameters: z.object({ service: z.string(), environment: z.enum(['staging', 'production']) }),
    permission: { anyOf: ['config:read'], select: ({ environment }) => `config:${environment}` },
    complete: { service: () => Promise.resolve([]) },
    list: () => Promise.resolve([]),
    read(parameters) {
      expectTypeOf(parameters).toEqualTypeOf<{ service: string; environment: 'staging' | 'production' }>();
      return Promise.resolve(undefined);
    },
  });

  it('takes content with optional members, and none that JSON lacks', () => {
    const content = z.object({ id: z.string(), failure: z.object({ reason: z.string() }).optional() });
    expectTypeOf<z.output<typeof content>>().toExtend<JsonValue>();
    expectTypeOf<z.output<typeof content>>().toExtend<JsonObject>();
    expectTypeOf<{ at: Date }>().not.toExtend<JsonValue>();
    expectTypeOf<{ size: bigint }>().not.toExtend<JsonValue>();
    expectTypeOf<readonly (string | undefined)[]>().not.toExtend<JsonValue>();
  });

  it('gives a resource that fits the catalog', () => {
    expectTypeOf(configuration).toExtend<ResourceDefinition>();
    expectTypeOf(createCatalog).toBeCallableWith({ resources: [configuration] });
  });

  it('does not compile a completer for a variable that does not exist', () => {
    expectTypeOf(
      defineResource({
        ...configuration,
        // @ts-expect-error there is no variable `region`
        complete: { region: () => Promise.resolve([]) },
      }),
    ).toBeObject();
  });
});

describe('definePrompt', () => {
  it('infers the arguments and gives a prompt that fits the catalog', () => {
    const prompt = definePrompt({
      name: 'plan',
      title: 'Plan',
      description: 'Plans.',
      arguments: z.object({ goal: z.string(), tone: z.string().optional() }),
      permission: 'plan',
      render(values) {
        expectTypeOf(values).toEqualTypeOf<{ goal: string; tone?: string | undefined }>();
        return values.goal;
      },
    });

    expectTypeOf(prompt).toExtend<PromptDefinition>();
    expectTypeOf(createCatalog).toBeCallableWith({ prompts: [prompt] });
  });
});

describe('ports', () => {
  it('give a handler who is calling, never the token', () => {
    expectTypeOf<keyof Caller>().toEqualTypeOf<
      | 'id'
      | 'kind'
      | 'displayName'
      | 'email'
      | 'groups'
      | 'groupsAsOf'
      | 'permissions'
      | 'obtainablePermissions'
    >();
    expectTypeOf<CallContext['caller']>().toEqualTypeOf<Caller>();
  });

  it('are satisfied by shape alone', () => {
    expectTypeOf({
      begin: () => Promise.resolve({ finish: () => Promise.resolve() }),
    }).toExtend<AuditTrail>();
    const method = (_fields: object, _message: string) => undefined;
    expectTypeOf({ debug: method, info: method, warn: method, error: method }).toExtend<Logger>();
  });
});
