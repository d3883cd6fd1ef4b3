import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { aCaller } from '../../test/fixtures.ts';
import { approvalStoreContract } from '../testing.ts';
import { createApprovalMemory } from './approval-memory.ts';
import { decide, requestToApprove, useApproval } from './approvals.ts';
import { createClaimMemory } from './claim-memory.ts';

describe('the memory of approvals', () => {
  it.each(approvalStoreContract)('$name', async ({ run }) => {
    let now = 0;
    const store = createApprovalMemory(() => now);
    const kept = run({ store, wait: async (milliseconds) => void (now += milliseconds) });
    await expect(kept).resolves.toBeUndefined();
  });
});

const PEOPLE = ['issuer#ada', 'issuer#bob'] as const;
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      caller: fc.constantFrom(...PEOPLE),
      name: fc.constantFrom('db', 'web'),
      version: fc.nat(1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('approve' as const),
      caller: fc.constantFrom(...PEOPLE),
      back: fc.nat(3),
    }),
  },
);

describe('an approval', () => {
  it('lets one call of somebody else through, with the arguments and the version that were approved', async () => {
    let total = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const rules = {
          approvals: createApprovalMemory(),
          confirmations: createClaimMemory(),
          approveWithinMs: 60_000,
        };
        const asked: { readonly id: string; readonly caller: string; readonly what: string }[] = [];
        const approvers = new Map<string, string>();
        const uses: { readonly id: string; readonly caller: string; readonly what: string }[] = [];
        for (const taken of steps) {
          const caller = aCaller({ id: taken.caller });
          if (taken.do === 'approve') {
            const request = asked.at(-1 - taken.back);
            // oxlint-disable-next-line no-await-in-loop -- One step after the other.
            const found = await requestToApprove(request?.id ?? '', 'erase', caller, rules.approvals).catch(
              () => undefined,
            );
            if (found !== undefined) {
              // oxlint-disable-next-line no-await-in-loop -- As above.
              await decide(found, caller, undefined, rules);
              approvers.set(found.id, caller.id);
            }
            continue;
          }
          const what = `${taken.name} at ${taken.version}`;
          // oxlint-disable-next-line no-await-in-loop -- As above.
          const outcome = await useApproval(
            {
              caller,
              tool: 'erase',
              arguments: { name: taken.name },
              approval: { permission: 'things:approve', tool: 'erase_approve' },
              confirmation: { message: 'Erase it?', version: String(taken.version) },
            },
            rules,
          ).catch((error: unknown) => String(error));
          const [id = ''] = /[\da-f]{8}-[\da-f-]{27}/u.exec(outcome) ?? [];
          (outcome === id ? uses : asked).push({ id, caller: caller.id, what });
        }
        for (const use of uses) {
          expect(asked).toContainEqual(use);
          expect(PEOPLE.filter((one) => one !== use.caller)).toContain(approvers.get(use.id));
        }
        expect(new Set(uses.map(({ id }) => id)).size).toBe(uses.length);
        total += uses.length;
      }),
      { numRuns: 200 },
    );
    expect(total).toBeGreaterThan(20);
  });
});
