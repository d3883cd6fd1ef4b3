import type { JsonValue } from './json.ts';
import { visibleText, withoutUnseen } from './visible-text.ts';

/** An error whose message may be shown to a model; throw it from a handler. Everything else stays with the operator. */
export class PublicError extends Error {
  override readonly name = 'PublicError';
  /** A stable code for the audit trail and metrics, for example `upstream_unavailable`. */
  readonly code: string;
  /** What failed and what to do next, in one or two sentences, without hosts, paths, secrets or stacks. */
  readonly publicMessage: string;
  /** What to do next, as `publicMessage` says it too: some clients read it beside the text. */
  readonly nextStep?: string | undefined;

  constructor(
    code: string,
    publicMessage: string,
    options: { readonly cause?: unknown; readonly nextStep?: string | undefined } = {},
  ) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.publicMessage = publicMessage;
    this.nextStep = options.nextStep;
  }
}

/** A JSON-RPC error with a public message. Both SDKs send `code`, `message` and `data` as they are. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data?: unknown;

  constructor(code: number, message: string, data?: JsonValue) {
    // Both repeat names that a client or an upstream made up.
    super(visibleText(message));
    this.code = code;
    if (data !== undefined) {
      this.data = withoutUnseen({ data })['data'];
    }
  }
}

/** JSON-RPC 2.0 §5.1, the code of the 2025 revisions of MCP for a resource that does not exist, and one of 2026-07-28. */
export const rpcCodes = {
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  resourceNotFound: -32002,
  missingClientCapability: -32021,
} as const;

/** A JSON-RPC error, as it is kept and sent. */
export interface RpcFault {
  readonly code: number;
  /** Public. */
  readonly message: string;
  readonly data?: JsonValue | undefined;
}

/** The fault that an `RpcError` stands for, of whatever copy of this package. */
export function asRpcFault(error: unknown): RpcFault | undefined {
  if (!(error instanceof Error) || error.name !== 'RpcError') {
    return undefined;
  }
  const { code, message, data } = error as Partial<RpcError> & Error;
  // Its constructor takes no other data.
  return typeof code === 'number' ? { code, message, data: data as JsonValue | undefined } : undefined;
}

/** Tells an error apart by shape, so that errors from other packages count too. */
export function asPublicError(
  error: unknown,
): Pick<PublicError, 'code' | 'publicMessage' | 'nextStep'> | undefined {
  if (typeof error !== 'object' || error === null) {
    return undefined;
  }
  const { code, publicMessage, nextStep } = error as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string' || typeof publicMessage !== 'string') {
    return undefined;
  }
  return { code, publicMessage, nextStep: typeof nextStep === 'string' ? nextStep : undefined };
}

/** The words for an error, or others where a member of it cannot even be read: a proxy has traps, and a getter may throw. */
export function explained<Words>(read: () => Words, otherwise: () => Words): Words {
  try {
    return read();
  } catch {
    return otherwise();
  }
}
