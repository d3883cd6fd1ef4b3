import { audioContent, defineTool, embeddedResource, imageContent, PublicError } from '@mcp-parts/tool-kit';
import { z } from 'zod';

import { harmless } from '../harmless.ts';
import { PIXEL_PNG, SILENCE_WAV } from '../samples.ts';

const nothing = z.strictObject({});

const text = defineTool({
  ...harmless,
  name: 'test_simple_text',
  description: 'Answers with a text.',
  input: nothing,
  handle: async () => 'This is a simple text response for testing.',
});

const image = defineTool({
  ...harmless,
  name: 'test_image_content',
  description: 'Answers with a picture.',
  input: nothing,
  handle: async () => [imageContent(PIXEL_PNG, 'image/png')],
});

const audio = defineTool({
  ...harmless,
  name: 'test_audio_content',
  description: 'Answers with a sound.',
  input: nothing,
  handle: async () => [audioContent(SILENCE_WAV, 'audio/wav')],
});

const resource = defineTool({
  ...harmless,
  name: 'test_embedded_resource',
  description: 'Answers with a resource and what it holds.',
  input: nothing,
  handle: async () => [
    embeddedResource({
      uri: 'test://embedded-resource',
      mimeType: 'text/plain',
      text: 'This is an embedded resource content.',
    }),
  ],
});

const several = defineTool({
  ...harmless,
  name: 'test_multiple_content_types',
  description: 'Answers with a text, a picture and a resource.',
  input: nothing,
  handle: async () => [
    'Multiple content types test:',
    imageContent(PIXEL_PNG, 'image/png'),
    embeddedResource({
      uri: 'test://mixed-content-resource',
      mimeType: 'application/json',
      text: JSON.stringify({ test: 'data', value: 123 }),
    }),
  ],
});

const failure = defineTool({
  ...harmless,
  name: 'test_error_handling',
  description: 'Fails, and says so.',
  input: nothing,
  handle: async () => {
    throw new PublicError('always_fails', 'This tool intentionally returns an error for testing');
  },
});

/** Every kind of content that a tool can answer with, and a failure. */
export const contentTools = [text, image, audio, resource, several, failure];
