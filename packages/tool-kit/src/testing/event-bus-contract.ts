import { deepEqual } from 'node:assert/strict';

import type { EventBus, ServerEvent } from '../changes/event-bus.ts';

/** What the contract needs to know of a bus under test. */
export interface EventBusFixture {
  readonly bus: EventBus;
  /** The bus of another process that shares it. @default the same bus */
  readonly replica?: EventBus | undefined;
  /** Waits until `isTrue`, looking again and again; rejects when it takes too long. @default it is true at once */
  readonly until?: ((isTrue: () => boolean) => Promise<void>) | undefined;
}

/** One promise of the port; `run` rejects when it is broken. */
export interface EventBusCase {
  readonly name: string;
  readonly run: (fixture: EventBusFixture) => Promise<void>;
}

const TOOLS: ServerEvent = { kind: 'tools_list_changed', permissions: ['things:read', 'things:write'] };
const LAST: ServerEvent = { kind: 'permissions_changed' };
const EVENTS: readonly ServerEvent[] = [
  TOOLS,
  { kind: 'prompts_list_changed' },
  { kind: 'resources_list_changed', permissions: [] },
  { kind: 'resource_updated', uri: 'thing://ä/1?a=b#"\n*', callerIds: ['https://idp.example.test#jo'] },
  { kind: 'permissions_changed', callerId: 'local#me' },
];

/** What every {@link EventBus} promises. Run each case as a test, with a new fixture for each. */
export const eventBusContract: readonly EventBusCase[] = [
  {
    name: 'brings every event to all who listen, in order and as it was',
    async run({ bus, replica = bus, until = atOnce }) {
      const heard = [bus, bus, replica].map(listen);
      for (const event of EVENTS) {
        bus.publish(event);
      }
      await until(() => heard.every(({ length }) => length >= EVENTS.length));
      deepEqual(heard, [EVENTS, EVENTS, EVENTS]);
    },
  },
  {
    name: 'brings what the other process says, too',
    async run({ bus, replica = bus, until = atOnce }) {
      const heard = listen(bus);
      replica.publish(TOOLS);
      await until(() => heard.length >= 1);
      deepEqual(heard, [TOOLS]);
    },
  },
  {
    name: 'brings nothing to who has stopped listening, and stops once',
    async run({ bus, replica = bus, until = atOnce }) {
      const before: ServerEvent[] = [];
      const stop = bus.subscribe((event) => before.push(event));
      const heard = listen(bus);
      bus.publish(TOOLS);
      await until(() => before.length >= 1);
      stop();
      stop();
      replica.publish(LAST);
      await until(() => heard.some(({ kind }) => kind === LAST.kind));
      deepEqual(before, [TOOLS]);
    },
  },
  {
    name: 'counts one listener twice that listens twice',
    async run({ bus, until = atOnce }) {
      const heard: ServerEvent[] = [];
      const listener = (event: ServerEvent) => void heard.push(event);
      const stop = bus.subscribe(listener);
      bus.subscribe(listener);
      bus.publish(TOOLS);
      await until(() => heard.length >= 2);
      stop();
      bus.publish(LAST);
      await until(() => heard.length >= 3);
      deepEqual(heard, [TOOLS, TOOLS, LAST]);
    },
  },
  {
    name: 'lets one listener throw without the others, or who publishes, noticing',
    async run({ bus, until = atOnce }) {
      bus.subscribe(() => {
        throw new Error('a listener failed');
      });
      const heard = listen(bus);
      bus.publish(TOOLS);
      bus.publish(LAST);
      await until(() => heard.length >= 2);
      deepEqual(heard, [TOOLS, LAST]);
    },
  },
  {
    name: 'lets a listener stop, or begin, while it is being told',
    async run({ bus, until = atOnce }) {
      const heard: ServerEvent[] = [];
      const late: ServerEvent[] = [];
      const stop = bus.subscribe((event) => {
        heard.push(event);
        stop();
        bus.subscribe((next) => late.push(next));
      });
      bus.publish(TOOLS);
      await until(() => heard.length >= 1);
      bus.publish(LAST);
      await until(() => late.some(({ kind }) => kind === LAST.kind));
      deepEqual(heard, [TOOLS]);
    },
  },
];

function listen(bus: EventBus): ServerEvent[] {
  const heard: ServerEvent[] = [];
  bus.subscribe((event) => heard.push(event));
  return heard;
}

async function atOnce(isTrue: () => boolean): Promise<void> {
  deepEqual(isTrue(), true);
}
