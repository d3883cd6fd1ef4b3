import { sealOperation, spanOf, type Operation } from '../../call/operation.ts';
import type { Completer } from '../../definition/call-context.ts';
import { heldPermission, type Permission } from '../../definition/permission.ts';
import { withoutUnseen } from '../../visible-text.ts';

/** What a value is asked for, and what is already chosen. */
export interface CompletionInput {
  readonly argument: { readonly name: string; readonly value: string };
  readonly known: Readonly<Record<string, string>>;
}

/** The protocol allows no more (2026-07-28, server/utilities/completion). */
const MAX_VALUES = 100;

/** What of a definition can be completed. */
interface Completable {
  readonly name: string;
  readonly permission: Permission<never>;
  readonly complete?: object | undefined;
}

/** `completion/complete` on a definition. An argument without a completer has no suggestions. */
export function completionOperation(definition: Completable): Operation {
  const { name, permission } = definition;
  const completers = (definition.complete ?? {}) as Readonly<Record<string, Completer | undefined>>;
  return sealOperation<CompletionInput, readonly string[]>({
    name,
    span: spanOf('completion/complete', name),
    permission,
    // Where the input is not known yet, one of the permissions that the caller holds will do.
    permissionOf: (_input, caller) => heldPermission(permission, caller),
    // It was checked with the request around it.
    parse: (sent) => ({ ok: true, input: sent as CompletionInput }),
    record: () => ({}),
    readOnly: true,
    audited: 'refusals',
    run({ argument, known }, context) {
      const completer = Object.hasOwn(completers, argument.name) ? completers[argument.name] : undefined;
      return completer?.(argument.value, known, context) ?? [];
    },
    respond: (values) => ({
      result: withoutUnseen({
        completion: {
          values: values.slice(0, MAX_VALUES),
          total: values.length,
          hasMore: values.length > MAX_VALUES,
        },
      }),
      isFailure: false,
    }),
  });
}
