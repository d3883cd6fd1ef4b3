import type { CallContext } from '../definition/call-context.ts';

/** A call as a hook sees it: found, parsed, authorized and recorded. */
export interface HookedCall {
  /** The MCP method, for example `tools/call`. */
  readonly method: string;
  /** The definition's name. */
  readonly name: string;
  /** Whether it changes nothing. */
  readonly readOnly: boolean;
  /** As the definition's schema has parsed it. */
  readonly input: unknown;
  readonly context: CallContext;
}

/**
 * What a team adds around every handler: `next` runs it and gives what it returned, and what the hook returns goes on
 * to be checked against the definition. Throw a `PublicError` to refuse; it is recorded as the call's own failure.
 */
export type Hook = (call: HookedCall, next: () => Promise<unknown>) => Promise<unknown>;

/** Runs the work with the hooks around it, the first one outermost. */
export function hooked(
  hooks: readonly Hook[],
  call: HookedCall,
  work: () => Promise<unknown>,
): Promise<unknown> {
  return hooks.reduceRight<() => Promise<unknown>>((next, hook) => async () => hook(call, next), work)();
}
