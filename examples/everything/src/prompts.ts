import { accepted, definePrompt, embeddedResource, form, imageContent } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from './harmless.ts';
import { PIXEL_PNG } from './samples.ts';

const { permission } = harmless;

const simple = definePrompt({
  name: 'test_simple_prompt',
  title: 'A text',
  description: 'A text without arguments.',
  arguments: z.strictObject({}),
  permission,
  render: () => 'This is a simple prompt for testing.',
});

const filledIn = definePrompt({
  name: 'test_prompt_with_arguments',
  title: 'A text with arguments',
  description: 'A text that two arguments fill in.',
  arguments: z.strictObject({
    arg1: z.string().describe('First test argument'),
    arg2: z.string().describe('Second test argument'),
  }),
  permission,
  complete: {
    arg1: async (prefix) => ['paris', 'park', 'party'].filter((value) => value.startsWith(prefix)),
  },
  render: ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
});

const withResource = definePrompt({
  name: 'test_prompt_with_embedded_resource',
  title: 'A resource to work on',
  description: 'A resource and a request about it.',
  arguments: z.strictObject({ resourceUri: z.string().describe('URI of the resource to embed') }),
  permission,
  render: ({ resourceUri }) => [
    {
      role: 'user',
      content: embeddedResource({
        uri: resourceUri,
        mimeType: 'text/plain',
        text: 'Embedded resource content for testing.',
      }),
    },
    { role: 'user', content: 'Please process the embedded resource above.' },
  ],
});

const withImage = definePrompt({
  name: 'test_prompt_with_image',
  title: 'A picture to look at',
  description: 'A picture and a request about it.',
  arguments: z.strictObject({}),
  permission,
  render: () => [
    { role: 'user', content: imageContent(PIXEL_PNG, 'image/png') },
    { role: 'user', content: 'Please analyze the image above.' },
  ],
});

const asking = definePrompt({
  name: 'test_input_required_result_prompt',
  title: 'A question first',
  description: 'A text with an answer in it.',
  arguments: z.strictObject({}),
  permission,
  async render(_values, { ask }) {
    const { user_context } = await ask({
      user_context: form('What context should the prompt use?', z.object({ context: z.string() })),
    });
    return `Use this context: ${accepted(user_context).context}`;
  },
});

/** Texts, messages of several kinds, and arguments with suggestions. */
export const prompts = [simple, filledIn, withResource, withImage, asking];
