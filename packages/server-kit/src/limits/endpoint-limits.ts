import { checkWhole } from '../check-number.ts';

/** How much an endpoint takes on at once. */
export interface EndpointLimits {
  /** Calls that run at once, from 1 to 1_000_000; lists are refused from three quarters on. @default 512 */
  readonly maxInFlight?: number | undefined;
  /** Calls of one caller that run at once, from 1 to 1_000_000. @default 128 */
  readonly maxInFlightPerCaller?: number | undefined;
  /** Streams that wait for events, from 1 to 1_000_000. @default 2_000 */
  readonly maxStreams?: number | undefined;
  /** Those of one caller, from 1 to 1_000_000. @default 64 */
  readonly maxStreamsPerCaller?: number | undefined;
  /** Refused requests of one address in a minute, after which it has to wait; from 1 to 1_000_000. @default 120 */
  readonly maxRefusalsPerMinute?: number | undefined;
  /** What is kept for clients that lose a stream, in bytes; from 0 to 1_073_741_824. @default 33_554_432 */
  readonly maxEventBytes?: number | undefined;
  /** The largest body of a request, in bytes; from 1_024 to 67_108_864. @default 1_048_576 */
  readonly maxBodyBytes?: number | undefined;
}

/** The limits with every default filled in. */
export type ResolvedEndpointLimits = { readonly [Name in keyof EndpointLimits]-?: number };

/** @throws {RangeError} naming the option that is out of its range. */
export function resolveEndpointLimits(limits: EndpointLimits): ResolvedEndpointLimits {
  const resolved = {
    maxInFlight: limits.maxInFlight ?? 512,
    maxInFlightPerCaller: limits.maxInFlightPerCaller ?? 128,
    maxStreams: limits.maxStreams ?? 2_000,
    maxStreamsPerCaller: limits.maxStreamsPerCaller ?? 64,
    maxRefusalsPerMinute: limits.maxRefusalsPerMinute ?? 120,
    maxEventBytes: limits.maxEventBytes ?? 32 * 1024 ** 2,
    maxBodyBytes: limits.maxBodyBytes ?? 1024 ** 2,
  };
  const { maxEventBytes, maxBodyBytes, ...counts } = resolved;
  for (const [name, value] of Object.entries(counts)) {
    checkWhole(name, value, 1, 1_000_000);
  }
  checkWhole('maxEventBytes', maxEventBytes, 0, 1024 ** 3);
  checkWhole('maxBodyBytes', maxBodyBytes, 1_024, 64 * 1024 ** 2);
  return resolved;
}
