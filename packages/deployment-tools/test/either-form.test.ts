import { createCatalog } from '@mcp-parts/tool-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { definitionsOf, mcpClient, openTime, startPlatform, target, type Platform } from './fake-platform.ts';

let platform: Platform;

beforeEach(async () => {
  platform = await startPlatform();
});

afterEach(() => platform[Symbol.asyncDispose]());

const services = (count: number) => ({
  json: {
    services: Array.from({ length: count }, (_, index) => ({
      name: `service-${index}`,
      description: 'Books parcels.',
      ownerTeam: 'logistics',
      tier: 2,
    })),
  },
});

interface Example {
  readonly tool: string;
  readonly when: string;
  readonly services?: number;
  readonly sent: object;
  readonly now?: number;
}

const examples: readonly Example[] = [
  { tool: 'list_services', when: 'there are some', services: 3, sent: {} },
  { tool: 'list_services', when: 'there are too many', services: 80, sent: {} },
  { tool: 'list_services', when: 'there are none', services: 0, sent: {} },
  { tool: 'list_services', when: 'none matches', services: 3, sent: { search: 'absent' } },
  { tool: 'check_deployment_prerequisites', when: 'it is ready', sent: target },
  {
    tool: 'check_deployment_prerequisites',
    when: 'it is not ready',
    sent: target,
    now: Date.parse('2026-03-13T16:00:00Z'),
  },
  { tool: 'trigger_deployment', when: 'it starts', sent: target },
  { tool: 'check_deployment_status', when: 'it waits', sent: { taskId: 'task-1' } },
  { tool: 'cancel_deployment', when: 'it is cancelled', sent: { taskId: 'task-1' } },
];

// Some clients hand a model the text, others the structured content.
describe('what a model is told to do stands in both forms', () => {
  it.each(examples)('of $tool when $when', async ({ tool, services: count, sent, now = openTime }) => {
    if (count !== undefined) {
      platform.upstream.on('GET /v1/services', services(count));
    }
    const call = mcpClient(definitionsOf(platform, { now: () => now }));
    await call('tools/call', { name: 'trigger_deployment', arguments: target });
    const result = await call('tools/call', { name: tool, arguments: { ...sent } });
    const { content, structuredContent } = result as {
      readonly content: [{ readonly text: string }];
      readonly structuredContent: object;
    };

    const told = instructionsIn(content[0].text);
    const structured = textsIn(structuredContent).join(' ');
    expect(told.filter((sentence) => !structured.includes(sentence))).toEqual([]);
    expect(instructionsIn(structured).filter((sentence) => !content[0].text.includes(sentence))).toEqual([]);
  });

  it('for every tool that answers in both', () => {
    const tools = [...createCatalog(definitionsOf(platform)).tools].flatMap(([name, { listing }]) =>
      listing['outputSchema'] === undefined ? [] : [name],
    );

    expect([...new Set(examples.map(({ tool }) => tool))]).toEqual(tools);
  });
});

/** The sentences that ask for something. */
function instructionsIn(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?])\s+|\n/u)
    .map((sentence) => sentence.replace(/^.*\bNext: /u, ''))
    .filter((sentence) => /^(?:Do|Call|Tell|Ask|Wait|Narrow|Trigger|Choose|Take|Check)\b/u.test(sentence));
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    return [value];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
