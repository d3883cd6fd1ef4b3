/** Calls `callback` once after `delayMs` unless the returned function is called first. */
export type SetTimer = (
  callback: () => void,
  delayMs: number,
  options: {
    /** Whether the process must stay alive for it: true only while someone waits for a flush. */
    readonly keepsProcessAlive: boolean;
  },
) => () => void;

/** Timers of the machine. */
export const systemTimer: SetTimer = (callback, delayMs, { keepsProcessAlive }) => {
  const timer = setTimeout(callback, delayMs);
  if (!keepsProcessAlive) {
    timer.unref();
  }
  return () => clearTimeout(timer);
};
