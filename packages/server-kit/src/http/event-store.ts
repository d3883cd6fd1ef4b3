import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

const MAX_EVENTS = 256;

/** Remembers the last events of one session, so that a client that lost its stream can go on where it was. */
export function createEventStore(maxEvents = MAX_EVENTS): EventStore {
  let events: StoredEvent[] = [];
  let nextNumber = 1;

  return {
    storeEvent(streamId, message) {
      const id = `${streamId}:${nextNumber}`;
      nextNumber += 1;
      events.push({ id, streamId, message });
      if (events.length > maxEvents) {
        events = events.slice(-maxEvents);
      }
      return Promise.resolve(id);
    },
    getStreamIdForEventId(eventId) {
      return Promise.resolve(events.find((event) => event.id === eventId)?.streamId);
    },
    async replayEventsAfter(lastEventId, { send }) {
      const position = events.findIndex((event) => event.id === lastEventId);
      const streamId = events[position]?.streamId;
      if (streamId === undefined) {
        throw new Error('the event is too old to continue from');
      }
      for (const event of events.slice(position + 1)) {
        // A priming event marks a place in the stream and carries no message.
        if (event.streamId === streamId && 'jsonrpc' in event.message) {
          await send(event.id, event.message);
        }
      }
      return streamId;
    },
  };
}
