import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { aCaller, aRequest } from '../../test/fixtures.ts';
import { createCatalog } from '../catalog/catalog.ts';
import { defineTool } from '../definition/define-tool.ts';
import { accepted } from '../exchange/question.ts';
import type { JsonObject } from '../json.ts';
import { createMethodTable } from '../protocol/method-table.ts';
import { form } from '../questions/form.ts';
import { createClaimMemory } from './claim-memory.ts';

const CALLERS = ['issuer#ada', 'issuer#bob'] as const;
const NAMES = ['db', 'web'] as const;
const ANSWERS = {
  yes: { action: 'accept', content: { confirm: true } },
  no: { action: 'accept', content: { confirm: false } },
  decline: { action: 'decline' },
  misfit: { action: 'accept', content: { confirm: 'perhaps' } },
} as const;

/** What a client was given to keep, and what the person behind it was shown when. */
interface Kept {
  readonly root: number;
  readonly caller: string;
  readonly name: string;
  readonly state: unknown;
  readonly keys: readonly string[];
  /** Of what the person was asked about; `undefined` once that was answered. */
  readonly version: number | undefined;
}

/** Two replicas whose tool erases a thing at a version, and a client that keeps every state and sends what it likes. */
function replicas({ asksMore }: { readonly asksMore: boolean }) {
  let version = 1;
  const done: { readonly caller: string; readonly name: string; readonly version: number }[] = [];
  const tool = defineTool({
    name: 'erase',
    description: 'Erases a thing.',
    input: z.strictObject({ name: z.string() }),
    annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
    permission: 'things:read',
    confirm: () => ({ message: 'Erase it?', version: String(version) }),
    async handle({ name }, { ask, caller }) {
      if (asksMore) {
        const isSure = accepted(await ask(form('Sure?', z.object({ confirm: z.boolean() }))));
        if (!isSure.confirm) {
          return 'Not sure.';
        }
      }
      done.push({ caller: caller.id, name, version });
      return 'Gone.';
    },
  });
  const confirmations = createClaimMemory();
  const requestStateKey = new Uint8Array(32);
  const tables = [1, 2].map(() =>
    createMethodTable(createCatalog({ tools: [tool] }), { confirmations, requestStateKey }),
  );
  return {
    done,
    change: () => void (version += 1),
    version: () => version,
    async call(
      replica: number,
      caller: string,
      name: string,
      retry?: { answers: JsonObject; state: unknown },
    ) {
      const request = aRequest({
        caller: aCaller({ id: caller }),
        channel: {
          meta: {},
          capabilities: { elicitation: { form: {} } },
          notify: () => undefined,
          log: () => undefined,
          retry,
        },
      });
      const params = { name: 'erase', arguments: { name } };
      return tables[replica]?.methods.get('tools/call')?.(params, request);
    },
  };
}

/** Mostly what is right, so that something is done at all. */
const mostlyAsItWas = <Value>(others: readonly Value[]) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const step = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      replica: fc.nat(1),
      caller: fc.constantFrom(...CALLERS),
      name: fc.constantFrom(...NAMES),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('bring' as const),
      replica: fc.nat(1),
      caller: mostlyAsItWas(CALLERS),
      name: mostlyAsItWas(NAMES),
      back: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
      answer: fc.oneof(
        { weight: 4, arbitrary: fc.constant('yes' as const) },
        { weight: 1, arbitrary: fc.constantFrom('no' as const, 'decline' as const, 'misfit' as const) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const) }) },
);

describe('a confirmation', () => {
  it.each([false, true])(
    'is good for its caller, its arguments and its version, once; whether the tool asks more: %s',
    async (asksMore) => {
      let total = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
          const server = replicas({ asksMore });
          const kept: Kept[] = [];
          const doneBy = new Map<string, number>();
          const deeds: object[] = [];
          const allowed: object[] = [];
          for (const [root, taken] of steps.entries()) {
            if (taken.do === 'change') {
              server.change();
              continue;
            }
            const from =
              taken.do === 'bring' ? kept.at(-1 - (taken.back % Math.max(1, kept.length))) : undefined;
            if (taken.do === 'bring' && from === undefined) {
              continue;
            }
            const caller = taken.caller ?? from?.caller ?? '';
            const name = taken.name ?? from?.name ?? '';
            const retry =
              taken.do === 'bring' && from !== undefined
                ? {
                    state: from.state,
                    answers: Object.fromEntries(from.keys.map((key) => [key, ANSWERS[taken.answer]])),
                  }
                : undefined;
            const before = server.done.length;
            // oxlint-disable-next-line no-await-in-loop -- One step after the other.
            const result = await server.call(taken.replica, caller, name, retry).catch(() => undefined);
            const begun = from?.root ?? root;
            if (server.done.length > before) {
              const now = server.version();
              const answer = taken.do === 'bring' ? taken.answer : undefined;
              deeds.push({ answer, caller, name, version: now });
              allowed.push({
                answer: 'yes',
                caller: from?.caller,
                name: from?.name,
                version: from?.version ?? now,
              });
              // One call may be asked about two versions, each with a yes of its own.
              const agreed = `${begun} at ${now}`;
              doneBy.set(agreed, (doneBy.get(agreed) ?? 0) + server.done.length - before);
            }
            if (result?.['resultType'] === 'input_required') {
              const keys = Object.keys(result['inputRequests'] as JsonObject);
              const isConfirmation = keys.some((key) => key.startsWith('confirmation-'));
              const version = isConfirmation ? server.version() : undefined;
              kept.push({ root: begun, caller, name, state: result['requestState'], keys, version });
            }
          }
          // Done only as it was begun, by a yes, and once.
          expect(deeds).toEqual(allowed);
          expect(Math.max(0, ...doneBy.values())).toBeLessThanOrEqual(1);
          total += doneBy.size;
        }),
        { numRuns: 150 },
      );
      expect(total).toBeGreaterThan(20);
    },
  );

  it('is used up on all replicas at once', async () => {
    const server = replicas({ asksMore: false });
    const asked = await server.call(0, CALLERS[0], 'db');
    const [key = ''] = Object.keys(asked?.['inputRequests'] as JsonObject);
    const retry = { state: asked?.['requestState'], answers: { [key]: ANSWERS.yes } };
    const results = await Promise.all(
      [0, 1, 0, 1].map((replica) => server.call(replica, CALLERS[0], 'db', retry)),
    );
    expect(server.done).toHaveLength(1);
    expect(results.filter((result) => result?.['isError'] === true)).toHaveLength(3);
    expect(JSON.stringify(results)).toContain('this confirmation was used before');
  });
});

describe('the memory of what was confirmed', () => {
  it('takes each id once, and again when its time is over', async () => {
    let now = 0;
    const { claim } = createClaimMemory(() => now);
    expect(await claim('a', { ttlMs: 10 })).toBe(true);
    expect(await claim('a', { ttlMs: 10 })).toBe(false);
    expect(await claim('b', { ttlMs: 10 })).toBe(true);
    now = 10;
    expect(await claim('a', { ttlMs: 10 })).toBe(true);
  });
});
