import { describe, expect, it } from 'vitest';

import { createErrors } from './tool-errors.ts';

describe('createErrors', () => {
  const errors = createErrors({ room_taken: { when: 'It is taken', whatToDo: 'Ask for another.' } });

  it('makes errors that say what failed and what to do, and keep their cause', () => {
    const cause = new Error('hunter2');
    expect(errors.room_taken({ cause })).toMatchObject({
      code: 'room_taken',
      publicMessage: 'It is taken. Ask for another.',
      nextStep: 'Ask for another.',
      cause,
    });
  });

  it('does not compile for a code that was not declared', () => {
    // @ts-expect-error there is no `room_takn`
    expect(errors.room_takn).toBeUndefined();
  });

  it.each([
    ['Room taken', { when: 'It is taken', whatToDo: 'Ask.' }, 'error "Room taken": a code'],
    ['taken', { when: ' ', whatToDo: 'Ask.' }, 'error "taken": when must be a text'],
    ['taken', { when: 'It is taken', whatToDo: 'Ask\u202E.' }, 'error "taken": whatToDo must be a text'],
  ])('refuses %j with %j', (code, definition, message) => {
    expect(() => createErrors({ [code]: definition })).toThrow(message);
  });
});
