import { describe, expect, it } from 'vitest';

import { CheckpointCadence } from './checkpoint-cadence.ts';

function cadence(unsignedEvents = 0) {
  const timers: { callback: () => void; delayMs: number }[] = [];
  let due = 0;
  const made = new CheckpointCadence({
    checkpointEvents: 10,
    checkpointIntervalMs: 500,
    unsignedEvents,
    setTimer(callback, delayMs) {
      const timer = { callback, delayMs };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
    onDue: () => (due += 1),
  });
  return { made, timers, due: () => due };
}

describe('a checkpoint is due', () => {
  it('with the event that makes the number full, those of an earlier run included', () => {
    const { made } = cadence(4);
    expect(made.takeDue(5)).toBe(false);
    made.committed(5, false);
    expect(made.takeDue(1)).toBe(true);
    made.committed(1, true);
    expect(made.takeDue(9)).toBe(false);
  });

  it('when somebody asks for it, once', () => {
    const { made } = cadence();
    made.request();
    expect(made.isRequested).toBe(true);
    expect([made.takeDue(0), made.takeDue(0)]).toEqual([true, false]);
  });

  it('no more after a commit that failed, until somebody asks again', () => {
    const { made } = cadence();
    made.request();
    made.failed();
    expect(made.takeDue(0)).toBe(false);
  });

  it('so long after the first event that is not signed, counted once', () => {
    const { made, timers, due } = cadence();
    made.committed(1, false);
    made.committed(1, false);
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([500]);
    timers[0]?.callback();
    expect(due()).toBe(1);
  });

  it('never for a chain that is signed to its end', () => {
    const { made, timers } = cadence();
    made.committed(3, false);
    made.committed(1, true);
    expect(made.hasUnsigned).toBe(false);
    expect(timers).toEqual([]);
    made.committed(1, false);
    made.stop();
    expect(timers).toEqual([]);
  });
});
