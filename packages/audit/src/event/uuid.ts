import { randomUUID } from 'node:crypto';

/** A version 7 UUID for an instant in milliseconds since the Unix epoch. */
export function uuidv7(time: number): string {
  // RFC 9562 §5.7: 48 bits of time, then random bits, here those of a version 4, which the runtime makes in bulk.
  const milliseconds = time.toString(16).padStart(12, '0');
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${randomUUID().slice(15)}`;
}
