import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { form } from '../questions/form.ts';
import { AskByRetry, firstRound, type CallState } from './ask-by-retry.ts';

const FIRST = firstRound('c');
const price = (euros: number) => form(`Buy for ${euros}?`, z.object({ yes: z.boolean() }));
const yes = { action: 'accept', content: { yes: true } };
const accepted = { outcome: 'accepted', value: { yes: true } };

/** The state that the client keeps once these were asked. */
function stateAfter(questions: Parameters<AskByRetry['ask']>[0], before: CallState = FIRST): CallState {
  const asking = new AskByRetry(before, {});
  expect(() => asking.ask(questions)).toThrow('the client is asked');
  const next = asking.next({});
  // What is sealed crosses JSON.
  return JSON.parse(JSON.stringify(next?.state)) as CallState;
}

describe('asking by a new request', () => {
  it('takes an answer for the question as it was put', () => {
    const state = stateAfter({ buy: price(3) });
    expect(new AskByRetry(state, { buy: yes }).ask({ buy: price(3) })).toEqual({ buy: accepted });
  });

  it('puts a question again that has changed since', () => {
    const state = stateAfter({ buy: price(3) });
    const asking = new AskByRetry(state, { buy: yes });
    expect(() => asking.ask({ buy: price(4) })).toThrow('the client is asked');
    expect(asking.next({})?.requests).toMatchObject({ buy: { params: { message: 'Buy for 4?' } } });
  });

  it('does not ask again what was answered in an earlier round', () => {
    const second = new AskByRetry(stateAfter({ buy: price(3) }), { buy: yes });
    expect(second.ask({ buy: price(3) })).toEqual({ buy: accepted });
    expect(() => second.ask({ ship: price(1) })).toThrow('the client is asked');
    const third = new AskByRetry(second.next({})?.state ?? FIRST, { ship: { action: 'decline' } });
    expect(third.ask({ buy: price(3) })).toEqual({ buy: accepted });
    expect(third.ask({ ship: price(1) })).toEqual({ ship: { outcome: 'declined' } });
    expect(third.isAsking).toBe(false);
  });

  it('keeps what was answered while something else is missing', () => {
    const state = stateAfter({ buy: price(3), ship: price(1) });
    const second = new AskByRetry(state, { buy: yes });
    expect(() => second.ask({ buy: price(3), ship: price(1) })).toThrow('the client is asked');
    const next = second.next({});
    expect(Object.keys(next?.requests ?? {})).toEqual(['ship']);
    const third = new AskByRetry(next?.state ?? FIRST, { ship: yes });
    expect(third.ask({ buy: price(3), ship: price(1) })).toEqual({ buy: accepted, ship: accepted });
  });

  it.each(['__proto__', 'constructor', 'toString'])('finds no answer under %s that was not given', (key) => {
    const asking = new AskByRetry(FIRST, {});
    expect(() => asking.ask(Object.fromEntries([[key, price(3)]]))).toThrow('the client is asked');
  });

  it('ends a conversation that has no end', () => {
    const asking = new AskByRetry({ ...FIRST, round: 16 }, {});
    expect(() => asking.ask({ buy: price(3) })).toThrow('has asked too often');
  });
});
