import assert from 'node:assert/strict';

import type { AuditSink } from '../delivery/sink.ts';
import type { AuditEvent } from '../event/event.ts';

/** A sink beside the place it delivers to. */
export interface SinkHarness extends AsyncDisposable {
  readonly sink: AuditSink;
  /** The events that arrived, in the order they did, repeated ones included. */
  readonly received: () => Promise<readonly AuditEvent[]>;
  /** Everything that arrived, as text. */
  readonly text: () => Promise<string>;
  /** Makes the place refuse, or be gone. */
  readonly fail: () => Promise<void>;
  /** Ends what {@link fail} began. */
  readonly recover: () => Promise<void>;
}

/** One promise of the port; `check` rejects when it is broken. */
export interface ContractCase {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/**
 * The promises that every `AuditSink` keeps. Run each case in your test framework, for example
 * `it.each(auditSinkContract(open))('$name', ({ check }) => check())`. `open` is called once for each case.
 */
export function auditSinkContract(open: () => Promise<SinkHarness>): readonly ContractCase[] {
  const withHarness = (check: (harness: SinkHarness) => Promise<void>) => async (): Promise<void> => {
    await using harness = await open();
    await check(harness);
  };
  return [
    {
      name: 'delivers every event of every batch, in order and unchanged',
      check: withHarness(async (harness) => {
        const events = sampleEvents(250);
        await deliver(harness.sink, events.slice(0, 100));
        await deliver(harness.sink, events.slice(100, 200));
        await deliver(harness.sink, events.slice(200));
        assert.deepEqual(await harness.received(), events);
      }),
    },
    {
      name: 'lets no control or bidirectional character through',
      check: withHarness(async (harness) => {
        const event = { ...sampleEvent(1), target: HOSTILE_TEXT, resource: `a${HOSTILE_TEXT}b` };
        await deliver(harness.sink, [event]);
        assert.deepEqual(await harness.received(), [event]);
        assert.doesNotMatch(await harness.text(), UNSAFE_CHARACTERS);
      }),
    },
    {
      name: 'rejects when the events are not received, and delivers them when asked again',
      check: withHarness(async (harness) => {
        const events = sampleEvents(3);
        await harness.fail();
        await assert.rejects(deliver(harness.sink, events));
        await harness.recover();
        await deliver(harness.sink, events);
        const ids = new Set((await harness.received()).map((event) => event.id));
        assert.deepEqual([...ids], idsOf(events));
      }),
    },
    {
      name: 'keeps the ids of a batch that comes again',
      check: withHarness(async (harness) => {
        const events = sampleEvents(3);
        await deliver(harness.sink, events);
        await deliver(harness.sink, events);
        const ids = new Set((await harness.received()).map((event) => event.id));
        assert.deepEqual([...ids], idsOf(events));
      }),
    },
    {
      name: 'rejects with the reason of a signal that is aborted',
      check: withHarness(async (harness) => {
        const reason = new Error('stopping');
        const options = { signal: AbortSignal.abort(reason), idempotencyKey: 'writer:1-1' };
        await assert.rejects(harness.sink.deliver([sampleEvent(1)], options), (error) => error === reason);
      }),
    },
    {
      name: 'has a name that can name its cursor file',
      check: withHarness(async ({ sink }) => assert.match(sink.name, /^[a-z0-9-]{1,64}$/)),
    },
  ];
}

const HOSTILE_TEXT = 'a\u0000\u001b[2J\r\n\u0085\u009b\u2028\u202e\u2066\u200fz';
// Line breaks separate records; everything else is text.
const UNSAFE_CHARACTERS =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

async function deliver(sink: AuditSink, events: readonly AuditEvent[]): Promise<void> {
  const idempotencyKey = `writer:${events[0]?.sequence}-${events.at(-1)?.sequence}`;
  await sink.deliver(events.map(deepFreeze), { signal: new AbortController().signal, idempotencyKey });
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) {
      deepFreeze(member as object);
    }
  }
  return Object.freeze(value);
}

function idsOf(events: readonly AuditEvent[]): string[] {
  return events.map((event) => event.id);
}

function sampleEvents(count: number): AuditEvent[] {
  return Array.from({ length: count }, (_, index) => sampleEvent(index + 1));
}

function sampleEvent(sequence: number): AuditEvent {
  const hex = sequence.toString(16).padStart(12, '0');
  const common = {
    schemaVersion: 1,
    sequence,
    writerId: '0d8cd1ad-3f42-4f3e-9a54-3a2e7b1c9d10',
    id: `0199d3a1-1c00-7000-8000-${hex}`,
    time: '2026-01-02T03:04:05.678Z',
    server: { name: 'contract-server', version: '1.0.0' },
    actor: { id: 'https://issuer.test#user-1', kind: 'user', groups: ['platform', 'Größe'] },
    action: 'tools/call',
    target: 'trigger_deployment',
    resource: 'payment-service/production',
    correlationId: `correlation-${sequence}`,
    transport: 'http',
    urgent: false,
  } as const;
  if (sequence % 2 === 1) {
    return { ...common, actor: mutable(common.actor), stage: 'intent' };
  }
  const intentId = `0199d3a1-1c00-7000-8000-${(sequence - 1).toString(16).padStart(12, '0')}`;
  const results = ['success', 'failure', 'denied', 'unknown'] as const;
  const result = results[(sequence / 2) % 4] ?? 'success';
  return {
    ...common,
    actor: mutable(common.actor),
    stage: 'outcome',
    intentId,
    result,
    reason: 'a_reason',
    durationMs: 12.5,
  };
}

function mutable(actor: { id: string; kind: 'user'; groups: readonly string[] }) {
  return { ...actor, groups: [...actor.groups] };
}
