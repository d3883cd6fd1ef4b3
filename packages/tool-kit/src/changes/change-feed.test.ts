import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aCaller, aResource, echoTool } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { createMethodTable, type MethodTableOptions } from '../protocol/method-table.ts';
import { createEventBus, type ServerEvent } from './event-bus.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** More than any window. */
const soon = () => vi.advanceTimersByTimeAsync(300);

function start(options: MethodTableOptions = {}) {
  const events = createEventBus();
  const secret = echoTool({ name: 'secret', permission: 'secret' });
  const catalog = createCatalog({ tools: [echoTool(), secret], resources: [aResource()] });
  const { changes } = createMethodTable(catalog, { events, ...options });
  if (changes === undefined) {
    throw new Error('a table with events has changes');
  }
  const listen = (caller = aCaller()) => {
    const told: unknown[] = [];
    const listener = changes.open({
      caller,
      lists: ['tools', 'resources'],
      tell: (change) => told.push(change),
    });
    return { told, ...listener };
  };
  return { events, catalog, changes, listen };
}

describe('what a client is told', () => {
  it('is at most one of each thing in a window, however much happens', async () => {
    const { events, listen } = start({ changeWindowMs: 100 });
    const { told, watch } = listen();
    watch('thing://1');
    for (let ms = 0; ms < 1_000; ms += 1) {
      events.publish({ kind: 'tools_list_changed' });
      events.publish({ kind: 'resource_updated', uri: 'thing://1' });
      await vi.advanceTimersByTimeAsync(1);
    }
    await soon();
    expect(told.length).toBeGreaterThanOrEqual(20);
    expect(told.length).toBeLessThanOrEqual(22);
  });

  it('is nothing of a list that it did not ask for, or a resource that is gone', async () => {
    const { events, catalog, listen } = start();
    const { told, watch } = listen();
    watch('thing://1');
    catalog.change({ remove: { resources: ['thing'] } });
    events.publish({ kind: 'prompts_list_changed' });
    events.publish({ kind: 'resource_updated', uri: 'thing://1' });
    await soon();
    expect(told).toEqual([{ list: 'resources' }]);
  });

  it('is nothing after it has gone, whatever was on its way', async () => {
    const { events, changes, listen } = start();
    const { told, watch, close } = listen();
    watch('thing://1');
    events.publish({ kind: 'resource_updated', uri: 'thing://1' });
    events.publish({ kind: 'tools_list_changed' });
    close();
    close();
    await soon();
    expect([told, changes.count(), vi.getTimerCount()]).toEqual([[], 0, 0]);
  });

  it('does not keep others from hearing when it throws', async () => {
    const { events, changes, listen } = start();
    changes.open({
      caller: aCaller(),
      lists: ['tools'],
      tell() {
        throw new Error('gone');
      },
    });
    const { told } = listen();
    events.publish({ kind: 'tools_list_changed' });
    events.publish({ kind: 'unheard of' } as unknown as ServerEvent);
    await soon();
    expect(told).toEqual([{ list: 'tools' }]);
  });

  it('is not what the authorizer cannot decide', async () => {
    const { events, listen } = start({
      authorizer: { decide: () => Promise.reject(new Error('nobody to ask')) },
    });
    const { told, watch } = listen();
    watch('thing://1');
    events.publish({ kind: 'resource_updated', uri: 'thing://1' });
    await soon();
    expect(told).toEqual([]);
  });
});

describe('who may do something else than before', () => {
  it('is looked up four at a time, once for many events, and not more often than once a second', async () => {
    let running = 0;
    let most = 0;
    const renewCaller = vi.fn<NonNullable<MethodTableOptions['renewCaller']>>(async (caller) => {
      most = Math.max(most, (running += 1));
      await delay(1);
      running -= 1;
      return { ...caller, permissions: ['things:read', 'secret'] };
    });
    const { events, listen } = start({ renewCaller });
    const clients = Array.from({ length: 50 }, (_, index) => listen(aCaller({ id: `issuer#${index}` })));
    for (let count = 0; count < 100; count += 1) {
      events.publish({ kind: 'permissions_changed' });
    }
    await soon();
    expect(renewCaller).toHaveBeenCalledTimes(50);
    expect(most).toBeLessThanOrEqual(4);
    expect(clients.map(({ told }) => told)).toEqual(clients.map(() => [{ list: 'tools' }]));

    events.publish({ kind: 'permissions_changed', callerId: 'issuer#7' });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(renewCaller).toHaveBeenCalledTimes(51);
    expect(clients[7]?.told).toEqual([{ list: 'tools' }]);
  });

  it('is told to look again where nobody can say, and sees nothing where it is refused', async () => {
    const unknown = start();
    const asked = unknown.listen();
    unknown.events.publish({ kind: 'permissions_changed' });
    await soon();
    expect(asked.told).toEqual([{ list: 'tools' }, { list: 'resources' }]);

    const denied = Object.assign(new Error('no'), { code: 'access_denied', publicMessage: 'No.' });
    const refused = start({ renewCaller: () => Promise.reject(denied) });
    const gone = refused.listen();
    refused.events.publish({ kind: 'permissions_changed' });
    await soon();
    refused.events.publish({ kind: 'tools_list_changed', permissions: ['things:read'] });
    await soon();
    expect(gone.told).toEqual([{ list: 'tools' }, { list: 'resources' }]);
  });

  it('keeps what it had while nobody can be asked', async () => {
    const { events, listen } = start({
      renewCaller: () => Promise.reject(new Error('the directory is down')),
    });
    const { told } = listen();
    events.publish({ kind: 'permissions_changed' });
    await soon();
    events.publish({ kind: 'tools_list_changed', permissions: ['things:read'] });
    await soon();
    expect(told).toEqual([{ list: 'tools' }]);
  });

  it('is noticed by other groups of the directory, and not by those of another token', async () => {
    const renewCaller = vi.fn<NonNullable<MethodTableOptions['renewCaller']>>(async (caller) => caller);
    const { changes, listen } = start({ renewCaller });
    listen(aCaller({ groups: ['a'], groupsAsOf: 1 }));
    changes.seen(aCaller({ groups: ['a'], groupsAsOf: 2 }));
    changes.seen(aCaller({ groups: ['b'] }));
    changes.seen(aCaller({ id: 'issuer#eve', groups: ['b'], groupsAsOf: 2 }));
    await soon();
    expect(renewCaller).not.toHaveBeenCalled();
    changes.seen(aCaller({ groups: ['b'], groupsAsOf: 2 }));
    await soon();
    expect(renewCaller).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ groups: ['b'] }),
      expect.anything(),
    );
  });
});

describe('the options of what changes', () => {
  it.each(['maxWatchedResources', 'changeWindowMs'])('refuse no number for %s', (name) => {
    expect(() => start({ [name]: -1 })).toThrow(RangeError);
  });
});
