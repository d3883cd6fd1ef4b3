import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf, it } from 'vitest';

import { defineTool } from '../definition/define-tool.ts';
import { standardSchema } from './standard-schema.ts';

const shown = {
  name: 'greet',
  description: 'Greets.',
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  permission: 'things:read',
} as const;

interface Sent {
  name: string;
  times: number;
}

it('infers what a schema of valibot gives and takes', () => {
  const tool = defineTool({
    ...shown,
    input: standardSchema(
      toStandardJsonSchema(v.strictObject({ name: v.string(), times: v.optional(v.number(), 1) })),
    ),
    output: standardSchema(
      toStandardJsonSchema(v.object({ greeting: v.string(), words: v.optional(v.number(), 1) })),
    ),
    handle: () => Promise.resolve({ greeting: 'Hello' }),
  });
  expectTypeOf<Parameters<typeof tool.handle>[0]>().toEqualTypeOf<Sent>();
  expectTypeOf<Parameters<NonNullable<typeof tool.text>>[0]>().toEqualTypeOf<{
    greeting: string;
    words: number;
  }>();
});

it('infers what a schema of arktype gives and takes', () => {
  const tool = defineTool({
    ...shown,
    input: standardSchema(type({ name: 'string', times: 'number = 1' })),
    output: standardSchema(type({ greeting: 'string' })),
    handle: ({ name, times }) => Promise.resolve({ greeting: name.repeat(times) }),
  });
  expectTypeOf<Parameters<typeof tool.handle>[0]>().toEqualTypeOf<Sent>();
});

it('refuses a handler that returns something else', () => {
  const tool = defineTool({
    ...shown,
    input: standardSchema(type({ name: 'string' })),
    output: standardSchema(type({ greeting: 'string' })),
    handle: () => Promise.resolve({ greeting: 'Hello' }),
  });
  expectTypeOf<() => Promise<{ greeting: number }>>().not.toExtend<typeof tool.handle>();
});
