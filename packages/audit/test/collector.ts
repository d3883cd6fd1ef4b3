import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { z } from 'zod';

import { auditRecordSchema, type AuditCheckpoint, type AuditEvent } from '../src/index.ts';

/** What the collector does with the next requests. */
export type CollectorMode = 'accept' | 'refuse' | 'reset-before' | 'reset-after' | 'flapping';

export interface Received {
  readonly events: readonly AuditEvent[];
  readonly idempotencyKey: string;
  readonly authorization: string | undefined;
}

/** A collector on a real socket that keeps what it acknowledged and drops repeated ids. */
export class Collector implements AsyncDisposable {
  mode: CollectorMode = 'accept';
  /** The correlation id of an event that it answers with 422. */
  poison: string | undefined;
  /** The requests that held events. */
  readonly requests: Received[] = [];
  readonly stored: AuditEvent[] = [];
  readonly checkpoints: AuditCheckpoint[] = [];
  /** What it acknowledged, repeated events included. */
  readonly accepted: AuditEvent[] = [];
  /** Every body as it came. */
  readonly bodies: string[] = [];
  readonly #ids = new Set<string>();
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await collector.up();
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/events`;
  }

  /** Listens; after `down()` on the same port again. */
  async up(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request).catch(() => undefined);
    // The sender was killed half-way.
    if (body === undefined) {
      return;
    }
    this.bodies.push(body);
    const records = z.object({ events: z.array(auditRecordSchema) }).parse(JSON.parse(body)).events;
    const events = records.filter((record) => record.stage !== 'checkpoint');
    const checkpoints = records.filter((record) => record.stage === 'checkpoint');
    const { authorization, 'idempotency-key': idempotencyKey } = request.headers;
    if (events.length > 0) {
      this.requests.push({ events, idempotencyKey: String(idempotencyKey), authorization });
    }
    const mode = this.mode === 'flapping' ? flap(Math.random()) : this.mode;
    if (mode === 'reset-before') {
      request.socket.resetAndDestroy();
      return;
    }
    if (this.poison !== undefined && events.some((event) => event.correlationId === this.poison)) {
      response.writeHead(422).end();
      return;
    }
    if (mode === 'refuse') {
      response.writeHead(503).end();
      return;
    }
    this.accepted.push(...events);
    this.stored.push(...events.filter((event) => !this.#ids.has(event.id)));
    for (const event of events) {
      this.#ids.add(event.id);
    }
    this.checkpoints.push(...checkpoints);
    if (mode === 'reset-after') {
      request.socket.resetAndDestroy();
    } else {
      response.writeHead(204).end();
    }
  }
}

function flap(chance: number): CollectorMode {
  if (chance < 0.15) {
    return 'refuse';
  }
  if (chance < 0.2) {
    return 'reset-before';
  }
  return chance < 0.25 ? 'reset-after' : 'accept';
}
