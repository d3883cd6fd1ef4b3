import { isObject } from '../wire/message.ts';
import { errorResponse, type ErrorResponse, type Notification, type Request } from './wire/message.ts';

/** A generation of the protocol; each has its SDK. */
export type Era = '2025' | '2026';

/** 2026-07-28, basic, `_meta`: every request names its version. */
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const SUPPORTED_VERSIONS: readonly string[] = ['2026-07-28'];
/** 2026-07-28, basic, error codes. */
const UNSUPPORTED_VERSION = -32022;
const MAX_SHOWN = 64;

/** What has been learned of a client so far. Nothing of it is ever final: a probe may be answered too late. */
export interface EraState {
  /** It has sent `initialize`. */
  readonly hasInitialized: boolean;
  /** It has sent a request of 2026-07-28 that was no probe. */
  readonly hasUsed2026: boolean;
}

/**
 * The era of one message. What carries a version in its `_meta` is of 2026-07-28; `initialize` opens the 2025 era, also
 * after a probe; what carries none belongs to the era that the client uses.
 */
export function eraOf(message: Request | Notification, state: EraState): Era {
  if (versionOf(message) !== undefined || message.method === 'server/discover') {
    return '2026';
  }
  return message.method !== 'initialize' && state.hasUsed2026 && !state.hasInitialized ? '2026' : '2025';
}

/** The error for a request that names a version which is not served; `undefined` for every other. */
export function unsupportedVersion(request: Request): ErrorResponse | undefined {
  const requested = versionOf(request);
  if (typeof requested !== 'string' || SUPPORTED_VERSIONS.includes(requested)) {
    return undefined;
  }
  const shown = requested.slice(0, MAX_SHOWN);
  return errorResponse(request.id, UNSUPPORTED_VERSION, `Unsupported protocol version: ${shown}`, {
    supported: SUPPORTED_VERSIONS,
    requested: shown,
  });
}

/** The version that a message names, whatever it is. */
export function versionOf({ params }: Request | Notification): unknown {
  const meta = params?.['_meta'];
  return isObject(meta) ? meta[VERSION_KEY] : undefined;
}
