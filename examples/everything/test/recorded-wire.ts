import { z } from 'zod';

const messageSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).nullish(),
  method: z.string().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

/** A JSON-RPC message, in either direction. */
export type Message = z.infer<typeof messageSchema>;

/** All that went over a wire, in the order in which it was read. */
export interface RecordedWire {
  /** Hand it to a client in place of the real one. */
  readonly fetch: typeof fetch;
  readonly sent: readonly Message[];
  readonly received: readonly Message[];
  /** Resolves when every answer has been read to its end. */
  readonly settled: () => Promise<void>;
}

/** A `fetch` that keeps every message that it sends and receives, in JSON or in an event stream. */
export function recordWire(): RecordedWire {
  const sent: Message[] = [];
  const received: Message[] = [];
  const readings: Promise<void>[] = [];
  return {
    sent,
    received,
    settled: async () => void (await Promise.all(readings)),
    async fetch(input, init) {
      const message = typeof init?.body === 'string' ? messageSchema.parse(JSON.parse(init.body)) : undefined;
      if (message !== undefined) {
        sent.push(message);
      }
      const response = await fetch(input, init);
      const type = response.headers.get('content-type') ?? '';
      if (type.startsWith('application/json')) {
        readings.push(readMessage(response.clone(), received));
      } else if (type.startsWith('text/event-stream')) {
        const reading = readEvents(response.clone(), received);
        // The stream of a session goes on for as long as the session does, and so does a subscription.
        if (message !== undefined && message.method !== 'subscriptions/listen') {
          readings.push(reading);
        }
      }
      return response;
    },
  };
}

async function readMessage(response: Response, into: Message[]): Promise<void> {
  into.push(messageSchema.parse(await response.json()));
}

/** A client that has all it wants leaves a stream, which then breaks off. */
async function readEvents({ body }: Response, into: Message[]): Promise<void> {
  let text = '';
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      into.push(...events.flatMap(messagesOf));
    }
  } catch {
    // What came before the end is what counts.
  }
}

/** None for a comment, and for an event that only says its id. */
function messagesOf(event: string): readonly Message[] {
  const data = event
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
    .join('\n');
  return data === '' ? [] : [messageSchema.parse(JSON.parse(data))];
}
