import { describe, expect, it } from 'vitest';

import { eventBusContract } from '../testing.ts';
import { createEventBus, isServerEvent } from './event-bus.ts';

describe('a bus within one process', () => {
  it.each(eventBusContract)('$name', async ({ run }) => {
    await run({ bus: createEventBus() });
    expect.assertions(0);
  });
});

describe('isServerEvent', () => {
  it.each([
    { kind: 'tools_list_changed' },
    { kind: 'resource_updated', uri: 'a:b', callerIds: ['x'] },
    { kind: 'permissions_changed', callerId: 'x' },
    { kind: 'prompts_list_changed', permissions: [], added: 'by a newer version' },
  ])('knows %j', (message) => expect(isServerEvent(message)).toBe(true));

  it.each([
    null,
    'tools_list_changed',
    {},
    { kind: 'from_tomorrow' },
    { kind: 'resource_updated' },
    { kind: 'resource_updated', uri: 'a:b', callerIds: 'x' },
    { kind: 'tools_list_changed', permissions: [1] },
    { kind: 'permissions_changed', callerId: 1 },
  ])('does not know %j', (message) => expect(isServerEvent(message)).toBe(false));
});
