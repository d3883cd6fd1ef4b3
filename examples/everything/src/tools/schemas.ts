import { defineTool } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from '../harmless.ts';

const contact = defineTool({
  ...harmless,
  name: 'json_schema_2020_12_tool',
  description: 'Takes a contact that can be reached by phone or by e-mail.',
  input: z
    .strictObject({
      name: z.string().optional(),
      address: z
        .object({ street: z.string().optional(), city: z.string().optional() })
        .meta({ $anchor: 'addressDef' })
        .optional(),
      contactMethod: z.enum(['phone', 'email']).optional(),
      phone: z.string().optional(),
      email: z.string().optional(),
    })
    // What a refinement says of several members at once, for a client that validates before it calls.
    .meta({
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { required: ['phone'] },
      else: { required: ['email'] },
    })
    .refine(({ contactMethod, phone, email }) => (contactMethod === 'phone' ? phone : email) !== undefined, {
      error: 'needs the phone, or the e-mail address, that contactMethod names',
    }),
  output: z.object({ reachableBy: z.enum(['phone', 'email']) }),
  handle: async ({ contactMethod }) => ({ reachableBy: contactMethod ?? 'email' }),
});

const region = defineTool({
  ...harmless,
  name: 'test_header_parameter',
  description: 'Takes a region that a gateway may route by.',
  input: z.strictObject({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
  output: z.object({ region: z.string() }),
  handle: async ({ region }) => ({ region }),
});

/** Inputs that say more than types, and one that is a header of the request as well. */
export const schemaTools = [contact, region];
