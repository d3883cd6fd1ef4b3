import { randomBytes } from 'node:crypto';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createStateSeal, type StateBinding } from './request-state.ts';

const NOW = 1_000_000;
const seal = createStateSeal(randomBytes(32), () => NOW);
const LATER = NOW + 1;

const bindings: fc.Arbitrary<StateBinding> = fc.record({
  callerId: fc.string(),
  method: fc.constantFrom('tools/call', 'prompts/get', 'resources/read'),
  target: fc.string(),
  arguments: fc.jsonValue(),
});

describe('a sealed state', () => {
  it('opens for the call that it was made for', () => {
    fc.assert(
      fc.property(fc.jsonValue(), bindings, (content, binding) => {
        const opened = seal.open(seal.seal(content, binding, LATER), binding);
        // What JSON makes of it: it knows no -0.
        expect(opened).toEqual({ ok: true, content: JSON.parse(JSON.stringify(content)) });
      }),
    );
  });

  it('opens for no other caller, method, target or arguments', () => {
    fc.assert(
      fc.property(
        bindings,
        bindings,
        fc.constantFrom('callerId', 'method', 'target', 'arguments'),
        (one, other, member) => {
          const changed = { ...one, [member]: other[member] };
          fc.pre(JSON.stringify(changed[member]) !== JSON.stringify(one[member]));
          // The order of members is no difference.
          fc.pre(member !== 'arguments' || typeof one.arguments !== 'object');
          expect(seal.open(seal.seal('x', one, LATER), changed)).toEqual({ ok: false, isExpired: false });
        },
      ),
    );
  });

  it('opens whatever the order in which a client sends the arguments', () => {
    const binding = { callerId: 'a', method: 'tools/call', target: 't' };
    const sealed = seal.seal(1, { ...binding, arguments: { a: { b: 1, c: [2] }, d: 3 } }, LATER);
    expect(seal.open(sealed, { ...binding, arguments: { d: 3, a: { c: [2], b: 1 } } })).toMatchObject({
      ok: true,
    });
    expect(seal.open(sealed, { ...binding, arguments: { d: 3, a: { c: [2], b: 2 } } })).toMatchObject({
      ok: false,
    });
  });

  it('does not open when a bit of it was changed', () => {
    fc.assert(
      fc.property(bindings, fc.nat(), fc.integer({ min: 0, max: 7 }), (binding, place, bit) => {
        const bytes = Buffer.from(seal.seal('content', binding, LATER), 'base64url');
        const index = place % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index);
        expect(seal.open(bytes.toString('base64url'), binding)).toEqual({ ok: false, isExpired: false });
      }),
    );
  });

  it('is one text: none that stands for the same bytes, or is no state at all', () => {
    fc.assert(
      fc.property(bindings, fc.string(), (binding, other) => {
        const sealed = seal.seal('content', binding, LATER);
        for (const text of [
          `${sealed}=`,
          `${sealed}!`,
          ` ${sealed}`,
          `${sealed}-TAMPERED`,
          sealed.slice(1),
          other,
        ]) {
          expect(seal.open(text, binding)).toEqual({ ok: false, isExpired: false });
        }
      }),
    );
  });

  it('does not open once it has expired, nor with another key', () => {
    const binding = { callerId: 'a', method: 'tools/call', target: 't', arguments: {} };
    expect(seal.open(seal.seal(1, binding, NOW), binding)).toEqual({ ok: false, isExpired: true });
    const other = createStateSeal(randomBytes(32), () => NOW);
    expect(other.open(seal.seal(1, binding, LATER), binding)).toEqual({ ok: false, isExpired: false });
  });

  it('shows its client nothing of its content', () => {
    const binding = { callerId: 'a', method: 'tools/call', target: 't', arguments: {} };
    const bytes = Buffer.from(seal.seal('hunter2', binding, LATER), 'base64url');
    expect(bytes.includes('hunter2')).toBe(false);
    expect(seal.seal('hunter2', binding, LATER)).not.toBe(seal.seal('hunter2', binding, LATER));
  });

  it('needs a key that nobody guesses', () => {
    expect(() => createStateSeal(randomBytes(31))).toThrow(
      'requestStateKey must have at least 32 bytes, got 31',
    );
  });
});
